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

// The order of P (before the cursor), S (after it) and the control tokens. kPsm: <prefix>P<suffix>S<middle>. kSpm:
// <prefix><suffix>S<middle>P (Bavarian et al. 2022, variant 2). kSuffixPrefixMiddle: <suffix>S<prefix>P<middle>.
// kSuffixPrefix: <suffix>S<prefix>P.
enum class FimLayout { kPsm, kSpm, kSuffixPrefixMiddle, kSuffixPrefix };

// How a file is announced. kPathLine: <file>path, a line end, its text. kPathInPrefix: the same, and of the file to
// fill in, path and line end stand behind <prefix>. kSeparator: <file> between files. kComment: "#path" and a line end.
// kPlus:
// "+++++ path" and a line end.
enum class FileHeader { kNone, kPathLine, kPathInPrefix, kSeparator, kComment, kPlus };

// Control tokens by text, and the order in which the parts of a document are given to the model.
struct FimFormat {
  std::string prefix, suffix, middle;  // prefix and suffix empty: the family cannot infill
  FimLayout layout = FimLayout::kPsm;
  std::string repository{}, file{};  // before a repository's name, before a file; empty: there is none
  std::string repository_end{};      // behind the name
  FileHeader header = FileHeader::kNone;
  bool starts_prefix = false;  // P is encoded as the start of a text, with SentencePiece's space in front
  // The last lines of P stand behind <middle>, as if the model had begun to fill in, so that typing changes nothing
  // before it (kPsm alone; the order of EFIM, arXiv:2505.21889, and of llama.vim).
  bool increment_after_middle = false;
  std::vector<std::string> stops;  // control tokens that end a generation
  [[nodiscard]] bool available() const { return !prefix.empty(); }
};

enum class NormKind { kRms, kRmsPlusOne, kLayer };  // kRmsPlusOne: the factor is 1 + weight; kLayer: with a bias

enum class Activation { kSilu, kRelu, kGelu, kGeluTanh };

// In whose names config.json gives the sizes.
enum class ConfigStyle { kLlama, kGpt2, kT5 };

// Which biases config.json may ask for. kLlama: attention_bias (q, k, v and o) and mlp_bias. kStarCoder2: use_bias for
// all. kStableLm: use_qkv_bias.
enum class BiasFields { kNone, kLlama, kStarCoder2, kStableLm };

// What config.json says of the sliding window. kAlways: sliding_window, where not null, is of every layer. kSome:
// use_sliding_window switches it on for the layers from max_window_layers, or as layer_types lists. kListed: as
// layer_types lists.
enum class WindowFields { kNone, kAlways, kSome, kListed };

struct TensorNames;

// One row a family; what differs between families is data. What is not said is Llama's way.
struct Architecture {
  std::string_view name{};             // config.json architectures[0]
  std::string_view model_type{};       // config.json model_type
  const TensorNames* names = nullptr;  // of a decoder
  ConfigStyle style = ConfigStyle::kLlama;
  NormKind norm = NormKind::kRms;
  std::string_view eps_field = "rms_norm_eps";
  std::string_view activation = "silu";  // when config.json does not say
  bool gated_mlp = true;                 // otherwise one linear, its activation, and one linear back
  bool learned_positions = false;        // added to the embeddings; otherwise rotary
  bool transposed_linears = false;       // weights are stored [in, out] (GPT-2's Conv1D)
  bool biases = false;                   // of every linear, when config.json does not say
  bool qkv_bias = false;                 // the same of q, k and v alone
  BiasFields bias_fields = BiasFields::kNone;
  WindowFields window_fields = WindowFields::kNone;
  bool qk_norm = false;            // RMSNorm per head on q and k before rotary
  bool tied_by_default = false;    // tie_word_embeddings when absent
  int default_head_dim = 0;        // head_dim when absent; 0: hidden / heads
  bool explicit_head_dim = false;  // head_dim must stand in config.json
  double partial_rotary = 1;       // partial_rotary_factor when absent: the part of a head that is rotated
  bool scaled_embedding = false;   // embeddings times sqrt(hidden)
  bool multipliers = false;        // Granite's four are read
  bool experts = false;            // num_experts and what belongs to it are read
  bool adds_bos = false;           // bos_token_id goes in front of a prompt
  bool encoder_decoder = false;    // the prompt goes through an encoder
};

// Rotary position embedding (Su et al. 2021) and the ways to stretch it.
struct RotaryConfig {
  enum class Scaling { kNone, kLinear, kLlama3, kYarn };
  double theta = 10000.0;
  int dim = 0;  // rotated features of a head, from its first; even
  Scaling scaling = Scaling::kNone;
  double factor = 1;
  int original_positions = 0;                                  // Llama 3 and YaRN: what was trained before stretching
  double low_frequency_factor = 1, high_frequency_factor = 4;  // Llama 3
  double beta_fast = 32, beta_slow = 1;                        // YaRN (Peng et al. 2023)
  bool truncated = true;                                       // YaRN: the ramp begins and ends at whole features
  double attention_factor = 1;                                 // times cosine and sine
  friend bool operator==(const RotaryConfig&, const RotaryConfig&) = default;
};

// A mixture of experts in place of the MLP (Shazeer et al. 2017), as Qwen3-MoE has it.
struct ExpertsConfig {
  int count = 0, per_token = 0, intermediate = 0;
  bool normalized = false;  // the weights of a token's experts sum to 1
  friend bool operator==(const ExpertsConfig&, const ExpertsConfig&) = default;
};

struct LayerConfig {
  bool windowed = false;  // attends to the last `window` tokens alone
  bool experts = false;
  friend bool operator==(const LayerConfig&, const LayerConfig&) = default;
};

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
  RotaryConfig rotary;
  RotaryConfig window_rotary;              // of the windowed layers; most families have the same for all
  int window = 0;                          // tokens, the own one among them; 0: no layer is windowed
  std::vector<LayerConfig> layer_configs;  // of a decoder, [layers]
  std::optional<ExpertsConfig> experts;
  double norm_eps = 1e-6;
  bool tied = false;
  bool qkv_bias = false;
  bool output_bias = false;
  bool mlp_bias = false;
  Activation activation = Activation::kSilu;
  bool gated_mlp = true;
  double embedding_multiplier = 1, residual_multiplier = 1;  // residual: times what a block's halves add
  double attention_multiplier = 0;                           // times the scores; 0: head_dim^-0.5
  double logits_divisor = 1;
  bool scaled_output = false;            // hidden^-0.5 times the last norm's output goes into the head
  std::optional<EncoderConfig> encoder;  // none: a decoder alone
  FimFormat fim;                         // from config.json "weft_fim" or the tokenizer's own control tokens
  std::int32_t bos = -1;                 // -1: none is put in front of a prompt
  std::vector<std::int32_t> eos;
  [[nodiscard]] LayerConfig layer(int index) const;
  [[nodiscard]] double attention_scale() const;
  [[nodiscard]] std::size_t parameters() const;
};

// The rows of the table. nullptr: no such family.
[[nodiscard]] const Architecture* find_architecture(std::string_view name_or_model_type);
// "unknown architecture 'X'; known are LlamaForCausalLM, …", with the reason where there is a particular one.
[[nodiscard]] std::string why_unknown(std::string_view name);

// Error: an unknown family, listing the known ones; a missing or absurd field, by name; heads not divisible by
// kv_heads.
Expected<ModelConfig> parse_model_config(std::string_view json, std::string_view directory_name);
Expected<ModelConfig> read_model_config(const std::string& directory);
std::string to_json(const ModelConfig& config);  // a config.json that transformers reads too

}  // namespace weft::model
