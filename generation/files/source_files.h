// The files of a project that are somebody's source: in a language that weft reads, tracked by git or new, not secret,
// not foreign, not generated, binary or huge. For every reader of a whole project. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "generation/files/clean.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"

namespace weft::generation {

struct SourceFile {
  std::string path;      // on disk
  std::string relative;  // under the root, with '/'
};

// By its name: packages of others, versions of git, what tools have made.
[[nodiscard]] bool is_foreign_folder(std::string_view name);

// Sorted by `relative`; the first `most_files` of them. Links are not followed. Errors: no such folder, cancelled.
Expected<std::vector<SourceFile>> list_source_files(const std::string& root, std::size_t most_files,
                                                    const CancelFlag& cancel);

// Whether list_source_files would list it, if it is there: by its name, those of its folders, and what git ignores.
[[nodiscard]] bool is_source_file(const std::string& root, std::string_view relative);

// The cleaned text with keys masked. Error: why it is not read.
Expected<std::string> read_source_file(const SourceFile& file, const CleanLimits& limits);
// The same of a text that is at hand.
Expected<std::string> read_source_text(std::string_view path, std::string_view bytes, const CleanLimits& limits);

}  // namespace weft::generation
