// Normalizer: one step of what a family does to a text before it looks for tokens. Immutable, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "model/tokenizer/regex.h"

namespace weft::model {

// What SentencePiece, and the tokenizer.json that comes from it, writes for a space: U+2581.
constexpr char32_t kSpaceMark = 0x2581;
constexpr std::string_view kSpaceMarkBytes = "\xE2\x96\x81";

// `bytes` with each `from` replaced by `to`.
[[nodiscard]] std::string replaced(std::string_view bytes, std::string_view from, std::string_view to);

enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };

struct Replacement {
  Regex pattern;
  std::string content;
};

// Put in front of a text that is not empty, once, at the beginning of what is encoded.
struct Prefix {
  std::string content;
  bool unless_there = false;  // not where the text already begins with it
};

using Normalizer = std::variant<UnicodeForm, Replacement, Prefix>;

// `text` is valid UTF-8, and so is the result. `beginning`: Prefix applies.
[[nodiscard]] std::string normalized(const Normalizer& step, std::string text, bool beginning);

}  // namespace weft::model
