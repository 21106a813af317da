// list_python_packages: which files of an environment belong to which package, of which licence.
#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <map>
#include <utility>

#include "generation/files/licence.h"
#include "generation/files/python_environment.h"
#include "generation/files/text.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostListed = 150'000;  // files of one folder that are looked at
constexpr std::array<std::string_view, 5> kLeftOut = {"test", "tests", "idlelib", "turtledemo", "lib2to3"};

std::int64_t changed_at(const fs::path& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  return error ? 0 : static_cast<std::int64_t>(time.time_since_epoch().count());
}

// What was installed as one: it may be imported by several names, and several may share one.
struct Distribution {
  std::string version, licence;
  std::int64_t changed = 0;
  std::vector<std::string> names;
};

// The first part of a path, as it is imported; "" of what is no Python.
std::string import_name(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash != std::string_view::npos) return std::string(path.substr(0, slash));
  return path.ends_with(".py") ? std::string(path.substr(0, path.size() - 3)) : std::string();
}

std::vector<std::string> names_of(const fs::path& folder, std::string_view own_name) {
  std::set<std::string> names;
  const std::string record = read_all(folder / "RECORD"), top_level = read_all(folder / "top_level.txt");
  for (std::string_view rest = record; !rest.empty();) {
    const std::string_view line = take_until(rest, '\n');
    const std::string_view file = line.substr(0, line.find(','));
    if (file.ends_with(".py") && !file.starts_with("..")) names.insert(import_name(file));
  }
  for (std::string_view rest = top_level; !rest.empty();) names.emplace(take_until(rest, '\n'));
  if (names.empty()) names.emplace(own_name);
  return {names.begin(), names.end()};
}

// Of NAME-VERSION.dist-info or .egg-info, folder or file.
Distribution read_distribution(const fs::path& info, std::string_view name, std::string_view version) {
  Distribution out;
  out.version = version;
  out.changed = changed_at(info);
  std::string metadata;
  for (const fs::path& path : {info / "METADATA", info / "PKG-INFO", info}) {
    std::error_code ignored;
    if (metadata.empty() && fs::is_regular_file(path, ignored)) metadata = read_all(path);
  }
  out.licence = metadata_licence(metadata);
  for (const fs::path& folder : {info, info / "licenses", info / "license_files"}) {
    if (out.licence.empty()) out.licence = licence_files_of(folder.string());
  }
  out.names = names_of(info, name);
  return out;
}

std::map<std::string, PythonPackage> packages_of(const std::string& site_folder) {
  std::map<std::string, PythonPackage> packages;
  std::error_code error;
  for (fs::directory_iterator it(site_folder, error), end; !error && it != end; it.increment(error)) {
    const std::string file = it->path().filename().string();
    const std::size_t dot = file.rfind('.'), dash = file.find('-');
    if (dot == std::string::npos || (file.substr(dot) != ".dist-info" && file.substr(dot) != ".egg-info")) continue;
    const std::string_view whole = std::string_view(file).substr(0, dot);
    const std::string_view version = dash < dot ? whole.substr(dash + 1) : std::string_view();
    const Distribution found = read_distribution(it->path(), whole.substr(0, dash), version);
    for (const std::string& name : found.names) {
      PythonPackage& package = packages[name];
      const bool shared = !package.name.empty();
      package.name = name;
      package.version += (shared ? " " : "") + found.version;
      package.changed = std::max(package.changed, found.changed);
      // Whose a file is nobody looks up: where several share a name, all of their licences count.
      const std::string licence = found.licence.empty() ? "unknown" : found.licence;
      package.licence = shared ? package.licence + " AND " + licence : found.licence;
    }
  }
  return packages;
}

bool is_left_out(std::string_view path, const std::set<std::string>& excluded) {
  while (!path.empty()) {
    const std::string_view part = take_until(path, '/');
    if (std::ranges::find(kLeftOut, part) != kLeftOut.end()) return true;
    if (excluded.contains(std::string(part))) return true;
    if (part.ends_with(".py") && excluded.contains(std::string(part.substr(0, part.size() - 3)))) return true;
  }
  return false;
}

std::vector<SourceFile> python_files(const std::string& folder, const std::set<std::string>& excluded,
                                     const CancelFlag& cancel) {
  auto files = list_source_files(folder, kMostListed, cancel);
  if (!files) return {};
  std::erase_if(*files, [&](const SourceFile& file) {
    return !file.relative.ends_with(".py") || is_left_out(file.relative, excluded);
  });
  return std::move(*files);
}

PythonPackage standard_library(const std::string& folder, const std::set<std::string>& excluded,
                               const CancelFlag& cancel) {
  PythonPackage library;
  library.name = "python";
  constexpr std::string_view kName = "python";
  library.version = fs::path(folder).filename().string();
  if (library.version.starts_with(kName)) library.version.erase(0, kName.size());
  library.licence = "PSF-2.0";
  library.changed = changed_at(fs::path(folder) / "os.py");
  library.files = python_files(folder, excluded, cancel);
  std::erase_if(library.files, [](const SourceFile& file) {
    return file.relative.starts_with("site-packages/") || file.relative.starts_with("dist-packages/");
  });
  return library;
}

// Cuts off what is beyond a limit.
void apply(const PythonPackagesLimits& limits, std::vector<PythonPackage>& packages) {
  std::size_t files = 0;
  std::uintmax_t bytes = 0;
  for (PythonPackage& package : packages) {
    std::size_t kept = 0;
    for (; kept < package.files.size() && files < limits.files; ++kept, ++files) {
      std::error_code error;
      const std::uintmax_t size = fs::file_size(package.files[kept].path, error);
      if (error) continue;
      if (bytes + size > limits.bytes) {
        files = limits.files;
        break;
      }
      bytes += size;
    }
    package.files.resize(kept);
  }
  std::erase_if(packages, [](const PythonPackage& package) { return package.files.empty(); });
}

}  // namespace

std::vector<PythonPackage> list_python_packages(const PythonEnvironment& environment,
                                                const std::set<std::string>& imported,
                                                const std::set<std::string>& excluded,
                                                const PythonPackagesLimits& limits, const CancelFlag& cancel) {
  std::vector<PythonPackage> first, others;
  std::set<std::string> seen;  // what Python finds earlier hides the rest
  for (const std::string& folder : environment.site_folders) {
    std::map<std::string, PythonPackage> packages = packages_of(folder);
    for (SourceFile& file : python_files(folder, excluded, cancel)) {
      PythonPackage& package = packages[import_name(file.relative)];
      package.files.push_back(std::move(file));
    }
    for (auto& [name, package] : packages) {
      if (package.files.empty() || !seen.insert(name).second) continue;
      if (package.changed == 0) package.changed = changed_at(fs::path(folder) / name);
      package.name = name;
      (imported.contains(name) ? first : others).push_back(std::move(package));
    }
  }
  const auto by_name = [](const PythonPackage& package) { return package.name; };
  std::ranges::sort(first, {}, by_name);
  std::ranges::sort(others, {}, by_name);
  if (!environment.standard_library.empty()) {
    first.push_back(standard_library(environment.standard_library, excluded, cancel));
  }
  first.insert(first.end(), std::move_iterator(others.begin()), std::move_iterator(others.end()));
  apply(limits, first);
  return first;
}

}  // namespace weft::generation
