#include "generation/token_text.h"

#include <algorithm>
#include <array>

#include "model/base/utf8.h"

namespace weft::generation {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kLongestCharacter = 4;

// Some bytes behind these make a character. Only the second byte is narrowed by the first, and each of its ranges holds
// the lowest or the highest continuation byte.
bool may_become_character(std::string_view begun) {
  for (const char fill : {'\x80', '\xBF'}) {
    std::string filled(begun);
    filled.resize(std::max(kLongestCharacter, begun.size()), fill);
    const Utf8Character character = utf8_at(filled, 0);
    if (character.valid && character.bytes > begun.size()) return true;
  }
  return false;
}

}  // namespace

bool TokenText::append(std::string_view bytes) {
  waiting_ += bytes;
  const std::size_t before = shown_.size();
  std::size_t offset = 0;
  while (offset < waiting_.size()) {
    const std::string_view rest = std::string_view(waiting_).substr(offset);
    const Utf8Character character = utf8_at(rest, 0);
    if (!character.valid && may_become_character(rest)) break;
    shown_ += character.valid ? rest.substr(0, character.bytes) : kReplacement;
    offset += character.bytes;
  }
  waiting_.erase(0, offset);
  return shown_.size() > before;
}

void TokenText::cut(std::size_t bytes) {
  shown_.resize(utf8_floor(shown_, std::min(bytes, shown_.size())));
  waiting_.clear();
}

}  // namespace weft::generation
