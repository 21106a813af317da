#include "lsp/location.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "model/base/utf8.h"

namespace weft::lsp {
namespace {

constexpr std::uintmax_t kLimitBytes = std::uintmax_t{64} << 20;

std::optional<std::size_t> parse_number(std::string_view digits) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value == 0) return std::nullopt;
  return value;
}

struct LineBounds {
  std::size_t begin = 0, end = 0;  // without the line ending
};

// The bounds of the line, or how many lines there are when that is too few.
std::pair<std::optional<LineBounds>, std::size_t> find_line(std::string_view text, std::size_t wanted) {
  std::size_t begin = 0;
  for (std::size_t line = 1;; ++line) {
    std::size_t end = text.find_first_of("\r\n", begin);
    const bool last = end == std::string_view::npos;
    if (last) end = text.size();
    if (line == wanted) return {LineBounds{begin, end}, line};
    if (last) return {std::nullopt, line};
    begin = end + (text.substr(end, 2) == "\r\n" ? 2 : 1);
  }
}

}  // namespace

Expected<Location> parse_location(std::string_view argument) {
  const auto malformed = [&] { return make_error("'{}' is not FILE:LINE:COL with line and column from 1", argument); };
  const std::size_t second = argument.rfind(':');
  if (second == std::string_view::npos || second == 0) return malformed();
  const std::size_t first = argument.rfind(':', second - 1);
  if (first == std::string_view::npos || first == 0) return malformed();
  const auto line = parse_number(argument.substr(first + 1, second - first - 1));
  const auto column = parse_number(argument.substr(second + 1));
  if (!line || !column) return malformed();
  return Location{std::string(argument.substr(0, first)), *line, *column};
}

Expected<std::size_t> offset_of(std::string_view text, const Location& location) {
  const auto [bounds, lines] = find_line(text, location.line);
  if (!bounds) {
    return make_error("{}: line {} is past the end: the file has {} lines", location.path, location.line, lines);
  }
  const std::string_view line = text.substr(bounds->begin, bounds->end - bounds->begin);
  const std::size_t characters = utf8_count(line);
  if (location.column > characters + 1) {
    return make_error("{}: column {} is past the end of line {}, which has {} characters", location.path,
                      location.column, location.line, characters);
  }
  std::size_t offset = 0;
  for (std::size_t column = 1; column < location.column; ++column) offset += utf8_at(line, offset).bytes;
  return bounds->begin + offset;
}

Expected<std::string> read_text_file(const std::string& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) return make_error("{}: no such file", path);
  if (!std::filesystem::is_regular_file(status)) return make_error("{}: not a regular file", path);
  const auto size = std::filesystem::file_size(path, code);
  if (!code && size > kLimitBytes) {
    return make_error("{}: {} bytes are more than the {} allowed", path, size, kLimitBytes);
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return make_error("{}: cannot be opened: {}", path, std::strerror(errno));
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return make_error("{}: cannot be read", path);
  if (!is_valid_utf8(text)) {
    return make_error("{}: not UTF-8: bad byte at offset {}", path, utf8_valid_prefix(text));
  }
  return text;
}

Expected<LocatedText> read_location(const Location& location) {
  auto text = read_text_file(location.path);
  if (!text) return text.error();
  const auto offset = offset_of(*text, location);
  if (!offset) return offset.error();
  return LocatedText{std::make_shared<const std::string>(std::move(*text)), *offset};
}

}  // namespace weft::lsp
