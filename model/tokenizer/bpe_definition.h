// BpeDefinition: a byte pair tokenizer as a file describes it, before anything of it is checked. Every format that
// holds one (tokenizer.json, vocab.json with merges.txt, the metadata of a GGUF file) is read into this and built by
// make_bpe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/base/expected.h"
#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/splitter.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::model {

constexpr std::int64_t kMostTokens = std::int64_t{1} << 20;  // four times the largest vocabulary in use

// A token beside the merges.
struct AddedToken {
  std::int64_t id = 0;
  std::string text;
  bool special = false;
  bool exact = true;  // matches its own text alone: takes in no spaces beside it, and may stand inside a word
};

struct BpeDefinition {
  std::string origin;                                       // a file, for messages
  std::vector<std::string> tokens;                          // by id; "": the id stands for nothing
  std::vector<std::pair<std::string, std::string>> merges;  // the first is the most urgent
  std::vector<AddedToken> added;
  std::vector<Normalizer> normalizers;  // of encode_start alone, but for the marks of spaces
  std::vector<Splitter> splitters;
  bool byte_level = false;           // tokens are written in GPT-2's letters, a symbol is a byte; else a character
  bool marks_spaces = false;         // tokens are written with kSpaceMark for a space
  bool byte_fallback = false;        // <0x00> to <0xFF> stand for the bytes of characters without a token
  bool ignore_merges = false;        // a piece that is a token is that token, whatever the merges make of it
  bool fuse_unknown = false;         // one unknown token for a run of them
  bool unmerged_is_control = false;  // what no merge makes and is more than a symbol is no text
  std::string unknown;               // "": what has no token is left out
};

// Error: an id beyond kMostTokens or that two tokens share, a merge of something that is no token; it names the file
// and the values.
Expected<std::shared_ptr<const Tokenizer>> make_bpe(const BpeDefinition& definition);

// Whether a token is known for a control token by its name alone, where the file does not say it: <|…|>, <fim_…>,
// ▁<PRE>.
[[nodiscard]] bool looks_like_control(std::string_view token);

}  // namespace weft::model
