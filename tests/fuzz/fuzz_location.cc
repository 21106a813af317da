// FILE:LINE:COL in any text: what is read prints back the same, and the offset is the one that counting gives.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "lsp/location.h"
#include "model/base/check.h"

namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Where `offset` stands, counted from the start, character by character.
weft::lsp::Location count_to(std::string_view text, std::size_t offset) {
  weft::lsp::Location place{"f", 1, 1};
  for (std::size_t i = 0; i < offset; ++i) {
    const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (text[i] == '\n' || (text[i] == '\r' && !pair)) {
      place.line += 1;
      place.column = 1;
    } else if (!pair && !is_continuation(text[i])) {
      place.column += 1;
    }
  }
  return place;
}

void check_parse(std::string_view argument) {
  const auto place = weft::lsp::parse_location(argument);
  if (!place) return;
  const auto again = weft::lsp::parse_location(fmt::format("{}:{}:{}", place->path, place->line, place->column));
  WEFT_CHECK(again && again->path == place->path && again->line == place->line && again->column == place->column);
}

// Any character may become any byte; the text of a file is checked to be UTF-8 first, so bytes above 0x7F become 'é'.
std::string make_utf8(std::string_view bytes) {
  std::string text;
  for (char c : bytes) static_cast<unsigned char>(c) < 0x80 ? text += c : text += "\xC3\xA9";
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_parse(input);
  if (input.size() < 3) return 0;
  const weft::lsp::Location wanted{"f", static_cast<std::size_t>(data[0]) + 1, static_cast<std::size_t>(data[1]) + 1};
  const std::string text = make_utf8(input.substr(2));
  const auto offset = weft::lsp::offset_of(text, wanted);
  if (!offset) return 0;
  WEFT_CHECK(*offset <= text.size() && (*offset == text.size() || !is_continuation(text[*offset])));
  const auto counted = count_to(text, *offset);
  WEFT_CHECK(counted.line == wanted.line && counted.column == wanted.column);
  return 0;
}
