#include "adapters/eval/eval_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "adapters/data/source_kind.h"
#include "generation/privacy/secrets.h"
#include "model/base/utf8.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;

// As rows are made of it: TypeScript counts as JavaScript. Empty: none that is measured.
std::string_view measured_language(const std::string& path) {
  const std::string_view language = language_of(path);
  if (language == "other") return {};
  return language == "typescript" ? "javascript" : language;
}

std::string project_of(const std::string& path, const std::string& directory) {
  if (directory.empty()) return {};
  const fs::path below = fs::path(path).lexically_relative(directory);
  const bool in_folder = std::distance(below.begin(), below.end()) > 1;
  return (in_folder ? fs::path(directory) / *below.begin() : fs::path(directory)).string();
}

Expected<std::vector<std::string>> source_files(const std::string& directory) {
  std::vector<std::string> paths;
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator it(directory, options, error), end; !error && it != end; it.increment(error)) {
    if (!measured_language(it->path().string()).empty() && it->is_regular_file(error))
      paths.push_back(it->path().string());
    if (it->is_directory() && it->path().filename().string().starts_with('.')) it.disable_recursion_pending();
  }
  if (error) return make_error("cannot search {}: {}", directory, error.message());
  std::ranges::sort(paths);
  return paths;
}

Expected<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return make_error("cannot read {}: {}", path, std::strerror(errno));
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) return make_error("cannot read {}: {}", path, std::strerror(errno));
  return text;
}

std::vector<std::string> evenly_spaced(std::vector<std::string> paths, std::size_t count) {
  if (paths.size() <= count) return paths;
  std::vector<std::string> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(std::move(paths[i * paths.size() / count]));
  return chosen;
}

}  // namespace

Expected<std::vector<EvalFile>> read_eval_files(const CompletionEvalOptions& options) {
  std::vector<std::string> paths = options.files;
  if (paths.empty()) {
    auto found = source_files(options.directory);
    if (!found) return found.error();
    paths = std::move(*found);
  }
  std::erase_if(paths, [&options](const std::string& path) {
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    return generation::is_secret_file(path) || (!error && bytes > options.limit_bytes);
  });
  std::vector<EvalFile> files;
  for (std::string& path : evenly_spaced(std::move(paths), options.max_files)) {
    auto text = read_text(path);
    if (!text) return text.error();
    if (!is_valid_utf8(*text)) continue;
    const std::string_view language = measured_language(path);
    std::string project = project_of(path, options.directory);
    files.push_back({std::move(path), std::move(*text), language, std::move(project)});
  }
  if (!files.empty()) return files;
  if (options.files.empty())
    return make_error("no file of a language that is measured, of at most {} bytes, in {}", options.limit_bytes,
                      options.directory);
  return make_error("none of the {} files can be used", options.files.size());
}

}  // namespace weft::adapters
