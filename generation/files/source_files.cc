#include "generation/files/source_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "generation/files/ignore_rules.h"
#include "generation/privacy/secrets.h"
#include "generation/syntax/language.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 8> kForeignFolders = {".git",        ".hg",   ".svn", "node_modules",
                                                             "__pycache__", ".venv", "venv", ".tox"};
constexpr std::size_t kMostEntries = 200'000;  // looked at in all: somebody's root may be their home folder
constexpr const char* kIgnoreFile = ".gitignore";
constexpr std::size_t kIgnoreBytes = 256 << 10;  // of one .gitignore

std::string read_up_to(const fs::path& path, std::size_t bytes) {
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(bytes));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

bool is_source_name(std::string_view relative) {
  return find_language("", relative) != nullptr && !is_secret_file(relative);
}

// A virtual environment may have any name.
bool is_foreign(const fs::path& folder) {
  std::error_code ignored;
  return is_foreign_folder(folder.filename().string()) || fs::exists(folder / "pyvenv.cfg", ignored);
}

class Walk {
 public:
  Walk(const fs::path& root, std::size_t most_files, const CancelFlag& cancel)
      : root_(root), most_files_(most_files), cancel_(cancel) {}

  // Files and folders of one folder in the order of their names; so the whole is in order, and stops early.
  void enter(const fs::path& folder, const std::string& relative) {
    rules_.add(relative, read_up_to(folder / kIgnoreFile, kIgnoreBytes));
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator it(folder, fs::directory_options::skip_permission_denied, error), end;
         !error && it != end && seen_ < kMostEntries; it.increment(error)) {
      ++seen_;
      entries.push_back(*it);
    }
    std::ranges::sort(entries, {}, [](const fs::directory_entry& entry) { return sort_name(entry); });
    for (const fs::directory_entry& entry : entries) {
      if (full()) return;
      visit(entry,
            relative.empty() ? entry.path().filename().string() : relative + "/" + entry.path().filename().string());
    }
  }

  [[nodiscard]] std::vector<SourceFile> take() && { return std::move(files_); }

 private:
  [[nodiscard]] bool full() const { return files_.size() >= most_files_ || cancel_.cancelled(); }

  // A folder sorts as what is in it does.
  static std::string sort_name(const fs::directory_entry& entry) {
    std::error_code ignored;
    return entry.path().filename().string() + (entry.is_directory(ignored) ? "/" : "");
  }

  void visit(const fs::directory_entry& entry, const std::string& relative) {
    std::error_code error;
    const fs::file_type type = entry.symlink_status(error).type();
    if (error) return;
    if (type == fs::file_type::directory) {
      if (!is_foreign(entry.path()) && !rules_.ignores_folder(relative)) enter(entry.path(), relative);
      return;
    }
    if (type != fs::file_type::regular || !is_source_name(relative) || rules_.ignores_file(relative)) return;
    files_.push_back({entry.path().string(), relative});
  }

  const fs::path& root_;
  const std::size_t most_files_;
  const CancelFlag& cancel_;
  IgnoreRules rules_;
  std::vector<SourceFile> files_;
  std::size_t seen_ = 0;
};

}  // namespace

bool is_foreign_folder(std::string_view name) {
  return std::ranges::find(kForeignFolders, name) != kForeignFolders.end();
}

Expected<std::vector<SourceFile>> list_source_files(const std::string& root, std::size_t most_files,
                                                    const CancelFlag& cancel) {
  std::error_code error;
  const fs::path folder(root);
  if (!fs::is_directory(folder, error)) return make_error("{} is not a folder", root);
  Walk walk(folder, most_files, cancel);
  walk.enter(folder, "");
  if (cancel.cancelled()) return make_error("cancelled");
  return std::move(walk).take();
}

bool is_source_file(const std::string& root, std::string_view relative) {
  if (!is_source_name(relative)) return false;
  IgnoreRules rules;
  const fs::path folder(root);
  rules.add("", read_up_to(folder / kIgnoreFile, kIgnoreBytes));
  for (std::size_t begin = 0, end = relative.find('/'); end != std::string_view::npos;
       begin = end + 1, end = relative.find('/', begin)) {
    const std::string_view inner = relative.substr(0, end);
    if (is_foreign(folder / inner) || rules.ignores_folder(inner)) return false;
    rules.add(inner, read_up_to(folder / inner / kIgnoreFile, kIgnoreBytes));
  }
  return !rules.ignores_file(relative);
}

Expected<std::string> read_source_file(const SourceFile& file, const CleanLimits& limits) {
  if (is_secret_file(file.relative)) return make_error("{}: secret file", file.relative);
  std::error_code error;
  const auto size = fs::file_size(file.path, error);
  if (error) return make_error("{}: {}", file.path, error.message());
  if (size > limits.max_bytes) return make_error("{}: too large", file.path);
  return read_source_text(file.relative, read_up_to(file.path, limits.max_bytes), limits);
}

Expected<std::string> read_source_text(std::string_view path, std::string_view bytes, const CleanLimits& limits) {
  if (is_secret_file(path)) return make_error("{}: secret file", path);
  Cleaned cleaned = clean(bytes, limits);
  if (!cleaned.rejected.empty()) return make_error("{}: {}", path, cleaned.rejected);
  return mask_secrets(cleaned.text).text;
}

}  // namespace weft::generation
