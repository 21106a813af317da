// ModelConfig: what config.json says of a decoder or an encoder-decoder, read through the architecture table. Pure.
// Letters in shape comments: N tokens in step, B sequences, T length, H heads, Hk KV heads, D head size, V vocabulary.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/expected.h"

namespace weft::model {

enum class FimLayout { kPsm, kSpm };

// Control tokens by text, and the order in which the parts of a document are given to the model.
struct FimFormat {
  std::string prefix, suffix, middle;  // control tokens; all empty: the family cannot infill
  FimLayout layout = FimLayout::kPsm;  // SPM: <prefix><suffix>S<middle>P (Bavarian et al. 2022, variant 2)
  std::vector<std::string> stops;      // control tokens that end a generation
  [[nodiscard]] bool available() const { return !middle.empty(); }
};

// One row a family; what differs between families is data.
struct Architecture {
  std::string_view name;        // config.json architectures[0]
  std::string_view model_type;  // config.json model_type
  bool qkv_bias;                // default when config.json does not say
  bool qk_norm;                 // RMSNorm per head on q and k before rotary
  bool tied_by_default;         // tie_word_embeddings when absent
  bool explicit_head_dim;       // head_dim must stand in config.json; otherwise hidden / heads by default
  bool bias_options;            // attention_bias (q, k, v and o) and mlp_bias are read
  bool adds_bos;                // bos_token_id goes in front of a prompt
  bool encoder_decoder;         // the prompt goes through an encoder; config.json uses T5's names of fields
};

enum class Activation { kSilu, kRelu, kGeluTanh };

// What an encoder-decoder has beside its decoder (Raffel et al. 2020, T5). Sizes but `layers` are those of both halves.
struct EncoderConfig {
  int layers = 0;
  int position_buckets = 32, position_distance = 128;  // of the relative positions; what is farther shares a bucket
  std::int32_t end = -1;                               // put behind a source before it is encoded; -1: nothing is
  std::int32_t padding = 0;
  std::int32_t decoder_start = 0;  // the decoder's first token, before what it generates; the padding unless named
};

struct ModelConfig {
  const Architecture* architecture = nullptr;
  std::string name;  // "_name_or_path" or the directory's name
  int layers = 0, hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, intermediate = 0, vocabulary = 0;
  int max_positions = 0;  // of an encoder-decoder: source and answer together
  double rope_theta = 10000.0;
  double norm_eps = 1e-6;
  bool tied = false;
  bool qkv_bias = false;
  bool output_bias = false;  // Llama's attention_bias covers o_proj too
  bool mlp_bias = false;
  Activation activation = Activation::kSilu;
  bool gated_mlp = true;
  bool scaled_output = false;            // hidden^-0.5 times the last norm's output goes into the head
  std::optional<EncoderConfig> encoder;  // none: a decoder alone
  FimFormat fim;                         // from config.json "weft_fim" or the tokenizer's own control tokens
  std::int32_t bos = -1;                 // -1: none is put in front of a prompt
  std::vector<std::int32_t> eos;
  [[nodiscard]] std::size_t parameters() const;
};

// The rows of the table. nullptr: no such family.
[[nodiscard]] const Architecture* find_architecture(std::string_view name_or_model_type);
[[nodiscard]] std::string known_architectures();  // "LlamaForCausalLM, …"

// Error: an unknown family, listing the known ones; a missing or absurd field, by name; heads not divisible by
// kv_heads.
Expected<ModelConfig> parse_model_config(std::string_view json, std::string_view directory_name);
Expected<ModelConfig> read_model_config(const std::string& directory);
std::string to_json(const ModelConfig& config);  // a config.json that transformers reads too

}  // namespace weft::model
