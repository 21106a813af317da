// A file that readers see whole or not at all: temporary file in the same folder, fsync, rename, fsync of the folder.
// Pure but for the file.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/expected.h"

namespace weft {

// The pieces one after the other. Error: the path and the system's reason; `path` is then as it was.
Expected<void> write_file_atomically(const std::string& path, const std::vector<std::span<const std::byte>>& pieces);
Expected<void> write_file_atomically(const std::string& path, std::string_view text);

}  // namespace weft
