// Byte-level BPE from parts, as the metadata of a GGUF file holds them. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/base/expected.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::model {

struct BpeParts {
  std::string origin{};                      // a file, for messages
  std::vector<std::string> tokens{};         // by id, written in GPT-2's letters; control tokens as they are
  std::vector<std::string> merges{};         // "left right", the most urgent first
  std::vector<std::int32_t> controls{};      // ids that text never gives
  std::vector<std::int32_t> user_defined{};  // ids outside the merges: runs of blanks are text, others control tokens
  std::string pre_tokenizer = "default";     // as llama.cpp names how text is cut (tokenizer.ggml.pre)
};

// Error: an unknown pre_tokenizer, with those that are known; a merge that is not of two tokens; an id out of range.
Expected<std::shared_ptr<const Tokenizer>> make_byte_level_bpe(BpeParts parts);

}  // namespace weft::model
