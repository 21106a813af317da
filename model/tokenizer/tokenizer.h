// Tokenizer: text to ids and back. Immutable, thread-safe. Control tokens are never produced from text.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/expected.h"
#include "model/base/strong_id.h"

namespace weft::model {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  [[nodiscard]] virtual std::size_t vocabulary() const = 0;
  // Any bytes; decode(encode(x)) == x for valid UTF-8, and for invalid bytes too where byte fallback covers them.
  // Control strings inside `text` stay text.
  [[nodiscard]] virtual std::vector<TokenId> encode(std::string_view text) const = 0;
  // Bytes of one token; empty for control tokens. May end inside a UTF-8 sequence.
  [[nodiscard]] virtual std::string_view bytes(TokenId id) const = 0;
  [[nodiscard]] virtual std::optional<TokenId> control(std::string_view name) const = 0;
  [[nodiscard]] std::string decode(std::span<const TokenId> ids) const {
    std::string out;
    for (TokenId id : ids) out += bytes(id);
    return out;
  }
};

// The SentencePiece file of a model directory: tokenizer.model, or spiece.model, as T5 calls it. Error: neither is
// there; where a byte-level BPE is instead, as CodeT5 has it, that it cannot be read yet.
Expected<std::string> find_sentencepiece(const std::string& directory);

// Error: missing, not a model, vocabulary larger than the config's.
Expected<std::shared_ptr<const Tokenizer>> load_sentencepiece(const std::string& path);

}  // namespace weft::model
