#include "adapters/eval/typing.h"

namespace weft::adapters {
namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

std::size_t next_character(std::string_view text, std::size_t at) {
  do ++at;
  while (at < text.size() && !begins_character(text[at]));
  return at;
}

}  // namespace

std::string_view first_line(std::string_view suggestion) {
  const std::string_view line = suggestion.substr(0, suggestion.find('\n'));
  const std::size_t last = line.find_last_not_of(" \t\r");
  return last == std::string_view::npos ? std::string_view{} : line.substr(0, last + 1);
}

Expected<TypedLine> type_line(std::string_view line, const Suggest& suggest) {
  TypedLine typed;
  for (const char c : line) typed.characters += begins_character(c) ? 1 : 0;
  std::string shown;  // what is left of it
  for (std::size_t at = 0; at < line.size(); at = next_character(line, at)) {
    if (shown.empty()) {
      auto asked = suggest(at);
      if (!asked) return asked.error();
      shown = *std::move(asked);
    }
    ++typed.keys;
    typed.accepted = first_line(shown) == line.substr(at);
    if (typed.accepted) break;
    const std::string_view character = line.substr(at, next_character(line, at) - at);
    shown = shown.starts_with(character) ? shown.substr(character.size()) : std::string();
  }
  return typed;
}

}  // namespace weft::adapters
