// IgnoreRules: which paths git would not track, by the .gitignore files of a project, as gitignore(5) has it. Paths are
// relative to the project's root, with '/'. Not thread-safe; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft::generation {

class IgnoreRules {
 public:
  // The lines of the .gitignore of that folder; "" is the root. Folders come before those that they hold.
  void add(std::string_view folder, std::string_view lines);
  // Whether the last rule that matches ignores it. What is in an ignored folder is ignored too, but that is not looked
  // at: whoever walks does not enter it.
  [[nodiscard]] bool ignores_file(std::string_view path) const { return ignores(path, Kind::kFile); }
  [[nodiscard]] bool ignores_folder(std::string_view path) const { return ignores(path, Kind::kFolder); }

 private:
  enum class Kind { kFile, kFolder };
  struct Rule {
    std::string folder;                 // with its '/', or empty
    std::vector<std::string> segments;  // between '/'; "**" stands for any number of them
    bool keeps = false;                 // begins with '!'
    bool folders_only = false;
  };
  [[nodiscard]] bool ignores(std::string_view path, Kind kind) const;

  std::vector<Rule> rules_;
};

}  // namespace weft::generation
