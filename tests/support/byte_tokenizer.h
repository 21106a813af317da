// ByteTokenizer: one token a byte, and the control tokens that weft's own models have. A tokenizer whose ids a test can
// read. Immutable, thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/tokenizer/tokenizer.h"

namespace weft::test {

class ByteTokenizer final : public model::Tokenizer {
 public:
  static constexpr TokenId kEndOfText{256}, kFimPrefix{257}, kFimSuffix{258}, kFimMiddle{259};
  static constexpr std::size_t kVocabulary = 263;

  [[nodiscard]] std::size_t vocabulary() const override { return kVocabulary; }
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const override;
  [[nodiscard]] std::string_view bytes(TokenId id) const override;
  [[nodiscard]] std::optional<TokenId> control(std::string_view name) const override;
};

// The token of one byte.
[[nodiscard]] constexpr TokenId byte_token(char byte) { return TokenId(static_cast<unsigned char>(byte)); }

}  // namespace weft::test
