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
  // Any bytes, as they are: decode(encode(x)) == x, but for what the vocabulary has no token for, as T5's has none for
  // a line end. Control strings inside `text` stay text.
  [[nodiscard]] virtual std::vector<TokenId> encode(std::string_view text) const = 0;
  // What the family's own tokenizer makes of a whole text, without its control tokens: normalised, and with a space in
  // front where the family puts one.
  [[nodiscard]] virtual std::vector<TokenId> encode_start(std::string_view text) const { return encode(text); }
  // Bytes of one token; empty for control tokens. May end inside a UTF-8 sequence.
  [[nodiscard]] virtual std::string_view bytes(TokenId id) const = 0;
  [[nodiscard]] virtual std::optional<TokenId> control(std::string_view name) const = 0;
  [[nodiscard]] std::string decode(std::span<const TokenId> ids) const {
    std::string out;
    for (TokenId id : ids) out += bytes(id);
    return out;
  }
};

// The tokenizer of a model directory, from the first of these that is there:
//   tokenizer.model or spiece.model    SentencePiece
//   tokenizer.json                     byte pair encoding or a unigram model
//   vocab.json and merges.txt          byte-level byte pair encoding
// Control tokens that none of these holds come from the tokenizer_config.json, special_tokens_map.json and
// added_tokens.json beside it. Error: none of them is there, or what is wrong with the one that is.
Expected<std::shared_ptr<const Tokenizer>> load_tokenizer(const std::string& directory);

// The files that load_tokenizer reads, those that are there: whoever writes a model copies them.
[[nodiscard]] std::vector<std::string> tokenizer_files(const std::string& directory);

}  // namespace weft::model
