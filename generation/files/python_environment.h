// Where the user's own Python environment lies, and what is in it. Found by files and folders alone: nothing of it is
// ever run. Any thread; files are read, nothing is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "generation/files/source_files.h"
#include "model/base/cancel.h"

namespace weft::generation {

struct PythonEnvironment {
  std::string standard_library;           // its folder; empty: none is known
  std::vector<std::string> site_folders;  // of installed packages, in the order in which Python looks
};

// Of the process that asks.
struct PythonVariables {
  std::string virtual_env;  // VIRTUAL_ENV
  std::string path;         // PATH
};

// The one that belongs to a project: .venv or venv in its root or a folder above, else that of VIRTUAL_ENV, else the
// first python3 on PATH with a library beside it.
[[nodiscard]] std::optional<PythonEnvironment> find_python_environment(const std::string& root,
                                                                       const PythonVariables& variables);

// What is imported by one name, or the standard library, whose name is "python".
struct PythonPackage {
  std::string name, version;  // version: empty where none is known
  std::string licence;        // an SPDX expression; empty where none is known
  std::int64_t changed = 0;   // when it was installed, in the file system's clock
  std::vector<SourceFile> files;
};

struct PythonPackagesLimits {
  std::size_t files = 40'000;       // of all packages together
  std::size_t bytes = 120'000'000;  // the same, as on disk
};

// The Python files of an environment, without tests: first the packages that `imported` names, then the standard
// library, then the others; within each in the order of names, until a limit. What the secret rules name is left out,
// and so is whatever `excluded` names as a part of its path, with or without ".py".
[[nodiscard]] std::vector<PythonPackage> list_python_packages(const PythonEnvironment& environment,
                                                              const std::set<std::string>& imported,
                                                              const std::set<std::string>& excluded,
                                                              const PythonPackagesLimits& limits,
                                                              const CancelFlag& cancel);

// The first names of what a Python source's import statements name: "os" of "import os.path as p"; not relative ones.
[[nodiscard]] std::set<std::string> imported_names(std::string_view source);
// Of all Python files of a project, at most so many.
[[nodiscard]] std::set<std::string> imported_by_project(const std::string& root, std::size_t most_files,
                                                        const CancelFlag& cancel);

}  // namespace weft::generation
