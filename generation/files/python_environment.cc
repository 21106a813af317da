#include "generation/files/python_environment.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "generation/files/text.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

std::string read_beginning(const fs::path& path, std::size_t most_bytes) {
  std::ifstream file(path, std::ios::binary);
  std::string text(most_bytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(most_bytes));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r"), last = text.find_last_not_of(" \t\r");
  return first == std::string_view::npos ? std::string_view() : text.substr(first, last - first + 1);
}

// What pyvenv.cfg says of a key; "" where it says nothing.
std::string setting(std::string_view config, std::string_view key) {
  while (!config.empty()) {
    const std::string_view line = take_until(config, '\n');
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos && trimmed(line.substr(0, equals)) == key) {
      return std::string(trimmed(line.substr(equals + 1)));
    }
  }
  return "";
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// lib/python3.N below a prefix that has `inside` in it; of several the highest N.
std::optional<fs::path> library_of(const fs::path& prefix, const char* inside) {
  std::optional<fs::path> best;
  int best_minor = -1;
  std::error_code error;
  for (fs::directory_iterator it(prefix / "lib", error), end; !error && it != end; it.increment(error)) {
    constexpr std::string_view kName = "python3.";
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (!name.starts_with(kName) || !fs::exists(it->path() / inside, ignored)) continue;
    const int minor = std::atoi(name.c_str() + kName.size());
    if (minor > best_minor) best = it->path(), best_minor = minor;
  }
  return best;
}

// The library of an interpreter in `bin`, and where packages lie beside it; `name`: the file's own, "python3.11".
void add_interpreter(const fs::path& bin, const std::string& name, PythonEnvironment& environment) {
  const fs::path prefix = bin.parent_path();
  std::optional<fs::path> library = prefix / "lib" / name;
  std::error_code ignored;
  if (!fs::exists(*library / "os.py", ignored)) library = library_of(prefix, "os.py");
  if (!library) return;
  environment.standard_library = library->string();
  // The last two are where Debian and its kin put theirs.
  for (const fs::path& folder :
       {*library / "site-packages", fs::path("/usr/local/lib") / library->filename() / "dist-packages",
        prefix / "lib" / "python3" / "dist-packages"}) {
    if (is_folder(folder)) environment.site_folders.push_back(folder.string());
  }
}

std::optional<PythonEnvironment> of_virtual_environment(const fs::path& folder) {
  const std::string config = read_beginning(folder / "pyvenv.cfg", 64 << 10);
  const std::string home = setting(config, "home");
  if (home.empty()) return std::nullopt;
  PythonEnvironment base;
  const std::string version = setting(config, "version");  // "3.11.2"
  const std::string minor = version.substr(0, version.find('.', version.find('.') + 1));
  add_interpreter(fs::path(home), "python" + minor, base);
  PythonEnvironment out;
  out.standard_library = base.standard_library;
  if (const auto library = library_of(folder, "site-packages")) {
    out.site_folders.push_back((*library / "site-packages").string());
  }
  if (setting(config, "include-system-site-packages") == "true") {
    out.site_folders.insert(out.site_folders.end(), base.site_folders.begin(), base.site_folders.end());
  }
  if (out.standard_library.empty() && out.site_folders.empty()) return std::nullopt;
  return out;
}

std::optional<PythonEnvironment> on_path(std::string_view path) {
  while (!path.empty()) {
    const std::string_view folder = take_until(path, ':');
    if (!folder.starts_with('/')) continue;
    std::error_code error;
    const fs::path real = fs::canonical(fs::path(folder) / "python3", error);
    if (error) continue;
    PythonEnvironment found;
    add_interpreter(real.parent_path(), real.filename().string(), found);
    if (!found.standard_library.empty()) return found;
  }
  return std::nullopt;
}

bool is_name_character(char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; }

}  // namespace

std::optional<PythonEnvironment> find_python_environment(const std::string& root, const PythonVariables& variables) {
  for (fs::path folder = fs::path(root); folder.has_relative_path(); folder = folder.parent_path()) {
    for (const char* name : {".venv", "venv"}) {
      if (auto found = of_virtual_environment(folder / name)) return found;
    }
  }
  if (!variables.virtual_env.empty()) {
    if (auto found = of_virtual_environment(variables.virtual_env)) return found;
  }
  return on_path(variables.path);
}

std::set<std::string> imported_names(std::string_view source) {
  std::set<std::string> names;
  const auto add = [&names](std::string_view module) {
    module = trimmed(module);
    std::size_t end = 0;
    while (end < module.size() && is_name_character(module[end])) ++end;
    if (end > 0) names.emplace(module.substr(0, end));
  };
  while (!source.empty()) {
    std::string_view line = trimmed(take_until(source, '\n'));
    if (line.starts_with("from ")) add(line.substr(5));
    if (!line.starts_with("import ")) continue;
    for (line.remove_prefix(7); !line.empty();) add(take_until(line, ','));
  }
  return names;
}

std::set<std::string> imported_by_project(const std::string& root, std::size_t most_files, const CancelFlag& cancel) {
  constexpr std::size_t kFileBytes = 64 << 10;  // imports stand at the top
  std::set<std::string> names;
  const auto files = list_source_files(root, most_files, cancel);
  if (!files) return names;
  for (const SourceFile& file : *files) {
    if (cancel.cancelled()) break;
    if (file.relative.ends_with(".py")) names.merge(imported_names(read_beginning(file.path, kFileBytes)));
  }
  return names;
}

}  // namespace weft::generation
