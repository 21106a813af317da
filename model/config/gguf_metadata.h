// What a GGUF file says of its model, key by key, and its tokenizer among that. Pure. model/weights/gguf.h reads it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/base/expected.h"

namespace weft::model {

// Whole numbers of every width are of 64 bits here, floats are doubles.
using GgufValue = std::variant<std::int64_t, double, bool, std::string, std::vector<std::int64_t>, std::vector<double>,
                               std::vector<bool>, std::vector<std::string>>;

class GgufMetadata {
 public:
  using Values = std::map<std::string, GgufValue, std::less<>>;
  GgufMetadata() = default;
  explicit GgufMetadata(Values values) : values_(std::move(values)) {}
  [[nodiscard]] const Values& values() const { return values_; }

  // nullptr: not there, or of another type.
  template <class T>
  [[nodiscard]] const T* find(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : std::get_if<T>(&found->second);
  }
  // A list whose entries are all the same counts as the number. Nothing: not there, or something else.
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const;
  [[nodiscard]] std::optional<double> number(std::string_view key) const;  // whole numbers too
  [[nodiscard]] std::optional<bool> flag(std::string_view key) const;
  [[nodiscard]] std::string text(std::string_view key) const;  // empty: not there, or something else
  [[nodiscard]] std::string architecture() const { return text("general.architecture"); }

 private:
  Values values_;
};

// The tokenizer as the file has it; what is made of it is model/tokenizer's business.
struct GgufTokenizer {
  enum class Kind : std::uint8_t { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };
  std::string model;                // "llama": SentencePiece; "gpt2": byte-level BPE; others
  std::string pre;                  // how text is split before BPE: "qwen2", "starcoder", …; may be empty
  std::vector<std::string> tokens;  // by id
  std::vector<float> scores;        // of SentencePiece; else empty
  std::vector<Kind> kinds;          // as many as tokens; all kNormal where the file has none
  std::vector<std::string> merges;  // of BPE, "left right", by rank
  std::optional<std::int32_t> bos, eos, unknown, padding;
  bool adds_bos = false;           // in front of a prompt
  bool adds_space_prefix = false;  // SentencePiece's dummy space
  std::vector<std::int32_t> ends;  // tokens that end a generation; eos among them
};

// Error: no tokens; lists of different lengths; an id that is not one of a token.
Expected<GgufTokenizer> gguf_tokenizer(const GgufMetadata& metadata);

}  // namespace weft::model
