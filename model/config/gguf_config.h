// The config.json that transformers would have written for a GGUF file's model. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/base/expected.h"
#include "model/config/gguf_metadata.h"

namespace weft::model {

// What the file's tensors say and its metadata does not.
struct GgufTensorFacts {
  std::int64_t vocabulary = 0;  // rows of the embedding, padding among them
  bool has_head = false;        // otherwise the embedding is the head too
  bool attention_bias = false;  // Llama's, which are there or not
  bool mlp_bias = false;
  std::vector<float> rope_factors{};  // divisors of the rotary frequencies, as Llama 3 has them; empty: none
};

// general.architecture is one that is read here.
[[nodiscard]] bool is_known_gguf(std::string_view architecture);
[[nodiscard]] std::string known_gguf_architectures();  // "llama, qwen2, …"

// The text of a config.json for parse_model_config. Errors: an architecture that is not known, with those that are; a
// key that is missing or says what is not supported.
Expected<std::string> gguf_config_json(const GgufMetadata& metadata, const GgufTensorFacts& facts);

}  // namespace weft::model
