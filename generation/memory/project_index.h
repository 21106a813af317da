// ProjectIndex: the texts of a project's files, each by its path, within a budget. Not thread-safe; pure.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "generation/memory/snapshot_memory.h"
#include "generation/memory/suffix_index.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

struct ProjectIndexLimits {
  std::size_t tokens = 2'000'000;  // of all files together: about 32 MB
  SuffixIndexLimits index;
};

class ProjectIndex {
 public:
  explicit ProjectIndex(std::shared_ptr<const model::Tokenizer> tokenizer, ProjectIndexLimits limits = {});

  // False where the budget has no room for it: then nothing changes. For a scan, whose files are all the same to it.
  bool add(std::string_view path, std::string_view text);
  // Makes room where there is none: the files that were put in longest ago go. For what somebody works on.
  void set(std::string_view path, std::string_view text);
  void remove(std::string_view path);  // unknown paths are ignored

  [[nodiscard]] std::shared_ptr<const SuffixPlaces> snapshot() { return index_.snapshot(); }
  [[nodiscard]] static TextId id_of(std::string_view path);
  [[nodiscard]] bool has(std::string_view path) const { return files_.contains(id_of(path)); }
  [[nodiscard]] std::size_t files() const { return files_.size(); }
  [[nodiscard]] std::size_t tokens() const { return index_.tokens(); }
  [[nodiscard]] std::size_t bytes() const;  // of memory, about

 private:
  struct File {
    std::size_t tokens = 0;
    std::list<TextId>::iterator age;
  };
  void put(TextId id, const std::vector<TokenId>& tokens);
  void remove(TextId id);

  std::shared_ptr<const model::Tokenizer> tokenizer_;
  ProjectIndexLimits limits_;
  SuffixIndex index_;
  std::unordered_map<TextId, File> files_;
  std::list<TextId> oldest_first_;
};

}  // namespace weft::generation
