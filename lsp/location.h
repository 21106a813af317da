// FILE:LINE:COL of a command line, and the file's text at it. Pure but for `read_location`, which reads the file.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "model/base/expected.h"

namespace weft::lsp {

// Lines and columns count from 1; columns count characters (Unicode code points).
struct Location {
  std::string path;
  std::size_t line = 1, column = 1;
};

struct LocatedText {
  std::shared_ptr<const std::string> text;  // valid UTF-8
  std::size_t offset = 0;                   // in bytes, on a character boundary
};

// The last two colons count, so that the path may hold others. Error: a missing or non-positive number.
Expected<Location> parse_location(std::string_view argument);
// One past a line's end is a column; a line ends at \n, \r\n or \r. Error: outside of the text, naming how far it goes.
Expected<std::size_t> offset_of(std::string_view text, const Location& location);
// Error: not a readable file, not UTF-8, outside of the text.
Expected<LocatedText> read_location(const Location& location);

// Error: not a readable regular file, larger than 64 MiB, or not UTF-8 (naming the first bad byte).
Expected<std::string> read_text_file(const std::string& path);

}  // namespace weft::lsp
