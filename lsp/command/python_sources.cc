#include "lsp/command/python_sources.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/ranges.h>

namespace weft::lsp {
namespace {

// Held out of the training data; textwrap has about 500 lines, the others are near it.
constexpr std::array kHeldOut{"textwrap.py", "configparser.py", "statistics.py"};

Expected<std::string> standard_library_folder() {
  const char* command = "python3 -c 'import sysconfig; print(sysconfig.get_paths()[\"stdlib\"], end=\"\")' 2>/dev/null";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command, "r"), pclose);
  std::string folder;
  std::array<char, 512> buffer{};
  while (pipe != nullptr) {
    const std::size_t read = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
    if (read == 0) break;
    folder.append(buffer.data(), read);
  }
  if (folder.empty()) return make_error("python3 did not say where its standard library is: name a file with --file");
  return folder;
}

}  // namespace

Expected<std::vector<std::string>> find_bench_files(std::size_t count) {
  const auto folder = standard_library_folder();
  if (!folder) return folder.error();
  std::vector<std::string> found;
  for (const char* name : kHeldOut) {
    const auto path = std::filesystem::path(*folder) / name;
    if (std::filesystem::is_regular_file(path)) found.push_back(path.string());
  }
  if (found.size() < count) {
    return make_error("{} has {} of {}, {} are needed: name files with --file and --other", *folder, found.size(),
                      fmt::join(kHeldOut, ", "), count);
  }
  found.resize(count);
  return found;
}

}  // namespace weft::lsp
