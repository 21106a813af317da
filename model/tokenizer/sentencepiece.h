// SentencePiece models, BPE and unigram, as tokenizers: read from their file, or built from the parts that other
// formats hold of them. Thread-safe; no global state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/expected.h"
#include "model/tokenizer/bpe_definition.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::model {

// The numbers of SentencePiece's own format, which GGUF shares (tokenizer.ggml.token_type).
enum class PieceType : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

struct SentencePieceParts {
  struct Piece {
    std::string text{};  // U+2581 for a space
    float score = 0;
    PieceType type = PieceType::kNormal;
  };
  std::string origin{};         // a file, for messages
  std::vector<Piece> pieces{};  // by id
  bool unigram = false;         // else byte pair encoding, the piece of the highest score first
  // What encode_start does with a text; encode does none of it.
  bool add_dummy_prefix = true, remove_extra_whitespaces = false;
  std::string charsmap{};  // SentencePiece's precompiled_charsmap; "": characters stay as they are
  // Tokens that other places know of: one beyond the pieces is a further control token, a special one among them makes
  // its piece one.
  std::vector<AddedToken> added{};
};

// Error: pieces twice, no unknown piece, byte pieces but not 256 of them.
Expected<std::shared_ptr<const Tokenizer>> make_sentencepiece(const SentencePieceParts& parts);

// A serialised ModelProto; `added` as in SentencePieceParts. Error: `origin` is not a SentencePiece model.
Expected<std::shared_ptr<const Tokenizer>> parse_sentencepiece(std::string_view model, const std::string& origin,
                                                               const std::vector<AddedToken>& added);

// Whether a file that begins so can be one; tokenizer.model is also the name of other formats.
[[nodiscard]] inline bool may_be_sentencepiece(std::string_view begin) { return begin.starts_with('\n'); }

}  // namespace weft::model
