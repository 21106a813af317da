#include "model/tokenizer/byte_letters.h"

#include <array>

#include "model/base/utf8.h"

namespace weft::model {
namespace {

constexpr int kLetters = 256 + 68;  // 188 bytes are their own letter, the other 68 take those from U+0100 on

constexpr bool is_own_letter(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

constexpr std::array<int, kLetters> kByteOfLetter = [] {
  std::array<int, kLetters> bytes{};
  bytes.fill(-1);
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    bytes[static_cast<std::size_t>(is_own_letter(byte) ? byte : next++)] = byte;
  }
  return bytes;
}();

}  // namespace

std::optional<unsigned char> byte_of_letter(char32_t code) {
  if (code >= kByteOfLetter.size() || kByteOfLetter[code] < 0) return std::nullopt;
  return static_cast<unsigned char>(kByteOfLetter[code]);
}

std::optional<std::string> bytes_of_letters(std::string_view token) {
  std::string out;
  out.reserve(token.size());
  for (std::size_t at = 0; at < token.size();) {
    const Utf8Character character = utf8_at(token, at);
    const auto byte = character.valid ? byte_of_letter(character.code) : std::nullopt;
    if (!byte) return std::nullopt;
    out += static_cast<char>(*byte);
    at += character.bytes;
  }
  return out;
}

}  // namespace weft::model
