#include "model/weights/gguf_names.h"

#include <algorithm>
#include <array>

#include "model/config/gguf_config.h"
#include "model/weights/read_rows.h"

namespace weft::model {
namespace {

// What converters change in a tensor.
enum Change : unsigned {
  kNothing = 0,
  kRotary = 1,      // llama.cpp rotates neighbours (2i, 2i + 1) where transformers rotates (i, i + half)
  kPlusOne = 2,     // Gemma's norms multiply by 1 + weight; the file has the sum
  kTransposed = 4,  // GPT-2's linears are [in, out]; the file has [out, in]
  kExperts = 8,     // one tensor of all experts
};

struct Part {
  std::string_view gguf, huggingface;
  unsigned change = kNothing;
};

constexpr std::array kLlamaOutside{Part{"token_embd", "model.embed_tokens"},
                                   Part{"output_norm", "model.norm", kPlusOne}, Part{"output", "lm_head"}};
constexpr std::array kLlamaBlock{Part{"attn_norm", "input_layernorm", kPlusOne},
                                 Part{"attn_q", "self_attn.q_proj", kRotary},
                                 Part{"attn_k", "self_attn.k_proj", kRotary},
                                 Part{"attn_v", "self_attn.v_proj"},
                                 Part{"attn_output", "self_attn.o_proj"},
                                 Part{"attn_q_norm", "self_attn.q_norm"},
                                 Part{"attn_k_norm", "self_attn.k_norm"},
                                 Part{"ffn_norm", "post_attention_layernorm", kPlusOne},
                                 Part{"ffn_gate", "mlp.gate_proj"},
                                 Part{"ffn_up", "mlp.up_proj"},
                                 Part{"ffn_down", "mlp.down_proj"},
                                 Part{"ffn_gate_inp", "mlp.gate"},
                                 Part{"ffn_gate_exps", "gate_proj", kExperts},
                                 Part{"ffn_up_exps", "up_proj", kExperts},
                                 Part{"ffn_down_exps", "down_proj", kExperts}};
constexpr std::array kStarCoder2Block{Part{"attn_norm", "input_layernorm"},
                                      Part{"attn_q", "self_attn.q_proj"},
                                      Part{"attn_k", "self_attn.k_proj"},
                                      Part{"attn_v", "self_attn.v_proj"},
                                      Part{"attn_output", "self_attn.o_proj"},
                                      Part{"ffn_norm", "post_attention_layernorm"},
                                      Part{"ffn_up", "mlp.c_fc"},
                                      Part{"ffn_down", "mlp.c_proj"}};
constexpr std::array kGpt2Outside{Part{"token_embd", "transformer.wte"}, Part{"position_embd", "transformer.wpe"},
                                  Part{"output_norm", "transformer.ln_f"}, Part{"output", "lm_head"}};
constexpr std::array kGpt2Block{Part{"attn_norm", "ln_1"},
                                Part{"attn_qkv", "attn.c_attn", kTransposed},
                                Part{"attn_output", "attn.c_proj", kTransposed},
                                Part{"ffn_norm", "ln_2"},
                                Part{"ffn_up", "mlp.c_fc", kTransposed},
                                Part{"ffn_down", "mlp.c_proj", kTransposed}};

struct Row {
  std::string_view gguf;  // general.architecture
  std::string_view block;
  std::span<const Part> outside, inside;
  unsigned changes;  // those that this family's converter makes
};
constexpr std::string_view kLayers = "model.layers.", kBlocks = "transformer.h.";
constexpr std::array kRows{Row{"llama", kLayers, kLlamaOutside, kLlamaBlock, kRotary},
                           Row{"granite", kLayers, kLlamaOutside, kLlamaBlock, kRotary},
                           Row{"qwen2", kLayers, kLlamaOutside, kLlamaBlock, kNothing},
                           Row{"qwen3", kLayers, kLlamaOutside, kLlamaBlock, kNothing},
                           Row{"qwen3moe", kLayers, kLlamaOutside, kLlamaBlock, kExperts},
                           Row{"gemma", kLayers, kLlamaOutside, kLlamaBlock, kPlusOne},
                           Row{"starcoder2", kLayers, kLlamaOutside, kStarCoder2Block, kNothing},
                           Row{"gpt2", kBlocks, kGpt2Outside, kGpt2Block, kTransposed},
                           Row{"starcoder", kBlocks, kGpt2Outside, kGpt2Block, kNothing}};

// blk.7.attn_q.weight: "7", "attn_q", ".weight". Outside of blocks `layer` is empty.
struct Name {
  std::string_view layer, part, ending;
};

Name split(std::string_view name) {
  Name out;
  const std::size_t point = name.rfind('.');
  if (point == std::string_view::npos) return {"", name, ""};
  out.ending = name.substr(point);
  name = name.substr(0, point);
  constexpr std::string_view kPrefix = "blk.";
  const std::size_t number_end = name.find('.', kPrefix.size());
  if (!name.starts_with(kPrefix) || number_end == std::string_view::npos) return {"", name, out.ending};
  out.layer = name.substr(kPrefix.size(), number_end - kPrefix.size());
  out.part = name.substr(number_end + 1);
  const bool is_number = std::ranges::all_of(out.layer, [](char c) { return c >= '0' && c <= '9'; });
  return is_number && !out.layer.empty() ? out : Name{"", name, out.ending};
}

std::int64_t head_rows(const GgufMetadata& metadata) {
  const std::string prefix = metadata.architecture() + ".";
  if (const auto size = metadata.integer(prefix + "attention.key_length")) return *size;
  const std::int64_t heads = metadata.integer(prefix + "attention.head_count").value_or(0);
  return heads < 1 ? 0 : metadata.integer(prefix + "embedding_length").value_or(0) / heads;
}

Expected<void> change_rotary(const GgufMetadata& metadata, const std::string& name, TensorView& view) {
  const std::int64_t rows = head_rows(metadata), all = whole(view).rows;
  if (rows < 2 || rows % 2 != 0 || all % rows != 0) {
    return make_error("tensor '{}' has {} rows, which are not of whole heads of {}", name, all, rows);
  }
  view.rotary_rows = rows;
  return {};
}

Expected<void> add_experts(const std::string& prefix, std::string_view part, const TensorView& stack,
                           TensorViews& out) {
  if (stack.shape.size() != 3 || stack.shape[0] < 1) {
    return make_error("tensor of the {} of {} has shape [{}], expected [experts, out, in]", part, prefix,
                      fmt::join(stack.shape, ", "));
  }
  const auto experts = static_cast<std::size_t>(stack.shape[0]);
  const std::size_t bytes = stack.data.size() / experts;
  for (std::size_t e = 0; e < experts; ++e) {
    TensorView view = stack;
    view.shape = {stack.shape[1], stack.shape[2]};
    view.data = stack.data.subspan(e * bytes, bytes);
    out.emplace(fmt::format("{}mlp.experts.{}.{}.weight", prefix, e, part), std::move(view));
  }
  return {};
}

Expected<void> add(const GgufMetadata& metadata, const Row& row, const std::string& name, const TensorView& stored,
                   TensorViews& out) {
  const Name parts = split(name);
  const auto table = parts.layer.empty() ? row.outside : row.inside;
  const auto part = std::ranges::find(table, parts.part, &Part::gguf);
  if (part == table.end()) {
    out.emplace(name, stored);
    return {};
  }
  const std::string prefix = parts.layer.empty() ? "" : fmt::format("{}{}.", row.block, parts.layer);
  const unsigned change = part->change & row.changes;
  if (change == kExperts) return add_experts(prefix, part->huggingface, stored, out);
  TensorView view = stored;
  if (change == kRotary) {
    if (auto changed = change_rotary(metadata, name, view); !changed) return changed;
  }
  if (change == kPlusOne) view.offset = -1;
  if (change == kTransposed && view.shape.size() == 2) view = transpose(std::move(view));
  if (!out.emplace(fmt::format("{}{}{}", prefix, part->huggingface, parts.ending), std::move(view)).second) {
    return make_error("tensor '{}' stands twice", name);
  }
  return {};
}

}  // namespace

Expected<TensorViews> huggingface_tensors(const GgufContents& contents) {
  const std::string architecture = contents.metadata.architecture();
  const auto row = std::ranges::find(kRows, architecture, &Row::gguf);
  if (row == kRows.end()) {
    return make_error("general.architecture '{}' is not known, known are {}", architecture, known_gguf_architectures());
  }
  TensorViews out;
  for (const auto& [name, view] : contents.tensors) {
    if (auto added = add(contents.metadata, *row, name, view, out); !added) return added.error();
  }
  return out;
}

Expected<GgufTensorFacts> tensor_facts(const TensorViews& huggingface) {
  GgufTensorFacts facts;
  auto embedding = huggingface.find("model.embed_tokens.weight");
  if (embedding == huggingface.end()) embedding = huggingface.find("transformer.wte.weight");
  if (embedding == huggingface.end()) return Error{"there is no tensor 'token_embd.weight'"};
  facts.vocabulary = whole(embedding->second).rows;
  facts.has_head = huggingface.contains("lm_head.weight");
  facts.attention_bias = huggingface.contains("model.layers.0.self_attn.q_proj.bias");
  facts.mlp_bias = huggingface.contains("model.layers.0.mlp.up_proj.bias");
  if (const auto factors = huggingface.find("rope_freqs.weight"); factors != huggingface.end()) {
    const TensorSlice all = whole(factors->second);
    facts.rope_factors.resize(static_cast<std::size_t>(all.rows * all.columns));
    if (auto read = read_rows(factors->second, 0, all.rows, facts.rope_factors.data()); !read) {
      return make_error("rope_freqs.weight {}", read.error().message);
    }
  }
  return facts;
}

}  // namespace weft::model
