// Which licence a file is under, and whether it is one that lets others copy from it. What is unknown is refused. Pure
// but for the files that LicenceFinder reads; one thread at a time.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "model/base/expected.h"

namespace weft::generation {

// An SPDX expression, such as "Apache-2.0 OR BSD-3-Clause", that leaves a permissive choice.
[[nodiscard]] bool is_permissive(std::string_view expression);
// SPDX name of a licence text by its telling phrases; "" when none is known. A text that names a copyleft licence
// besides others is that one.
[[nodiscard]] std::string classify_licence(std::string_view text);
// What `SPDX-License-Identifier:` says in the first lines of a source; "" when there is none.
[[nodiscard]] std::string declared_licence(std::string_view source);
// The licence without a permissive choice that the comments above the first line of code speak of; "" when they speak
// of none, or of a permissive one, of which the package tells more.
[[nodiscard]] std::string licence_against(std::string_view source);

// What a Python distribution's METADATA or PKG-INFO says, as an SPDX expression: its License-Expression, else its
// classifiers of licences, all of which then count, else a License that names one; "" where it says nothing known.
[[nodiscard]] std::string metadata_licence(std::string_view metadata);
// All licence files of one folder, "A AND B"; "unknown" stands for a text that no rule knows. "" where there are none.
[[nodiscard]] std::string licence_files_of(const std::string& folder);

class LicenceFinder {
 public:
  // `root`/licences.json, where it exists, maps folders under `root` to SPDX expressions. `assumed` is for files of
  // which nothing else is known; may be empty. Error: a licences.json that is no such map.
  static Expected<LicenceFinder> open(const std::string& root, std::string assumed);

  // Of a file by its path under `root`, with '/' between folders: what its source declares or speaks of, else what the
  // map says of its nearest folder, else the licence files of the nearest folder that has any, else the assumed one; or
  // "".
  [[nodiscard]] std::string licence_of(const std::string& path, std::string_view source);

 private:
  LicenceFinder(std::string root, std::string assumed, std::map<std::string, std::string> by_folder)
      : root_(std::move(root)), assumed_(std::move(assumed)), by_folder_(std::move(by_folder)) {}
  const std::string& licence_of_folder(const std::string& folder);

  std::string root_, assumed_;
  std::map<std::string, std::string> by_folder_;  // given, then found
};

}  // namespace weft::generation
