#include "model/config/weight_specs.h"

#include <numeric>
#include <utility>

#include "model/base/check.h"
#include "model/config/tensor_names.h"

namespace weft::model {
namespace {

std::string module_of(std::string_view weight) {
  constexpr std::string_view kWeight = ".weight";
  WEFT_CHECK(weight.ends_with(kWeight));
  return std::string(weight.substr(0, weight.size() - kWeight.size()));
}

class DecoderSpecs {
 public:
  explicit DecoderSpecs(const ModelConfig& config)
      : c_(config),
        names_(*config.architecture->names),
        q_(std::int64_t{config.heads} * config.head_dim),
        kv_(std::int64_t{config.kv_heads} * config.head_dim) {}

  std::vector<WeightSpec> take() {
    WeightSpec& embedding = add(join(names_.embedding, ".weight"), {c_.vocabulary, c_.hidden}, Shard::kRows);
    if (c_.tied) embedding.packed_as = kHead;
    if (c_.architecture->learned_positions) {
      add(join(names_.positions, ".weight"), {c_.max_positions, c_.hidden}, Shard::kNone);
    }
    for (int layer = 0; layer < c_.layers; ++layer) block(layer);
    norm(std::string(names_.final_norm), c_.hidden);
    if (!c_.tied) add(join(names_.head, ".weight"), {c_.vocabulary, c_.hidden}, Shard::kRows).packed_as = kHead;
    return std::move(specs_);
  }

 private:
  static std::string join(std::string_view module, std::string_view what) { return fmt::format("{}{}", module, what); }

  WeightSpec& add(std::string name, std::vector<std::int64_t> shape, Shard shard) {
    WeightSpec spec{std::move(name), std::move(shape), shard};
    spec.tensor = spec.name;
    spec.rows = spec.shape.front();
    return specs_.emplace_back(std::move(spec));
  }

  void norm(const std::string& module, std::int64_t width) {
    add(module + ".weight", {width}, Shard::kNone);
    if (c_.architecture->norm == NormKind::kLayer) add(module + ".bias", {width}, Shard::kNone);
  }

  struct Part {
    std::int64_t out, in;
    bool bias;
    Shard shard;
    std::string_view packed_as{};          // empty: alone
    std::string_view tensor{};             // of a fused one: the module that holds it,
    std::int64_t first_row = 0, rows = 0;  // … where, and of how many rows
    int expert = -1;
  };

  void linear(const std::string& module, const Part& part) {
    const auto placed = [&](WeightSpec& spec, std::string_view kind) {
      spec.expert = part.expert;
      if (part.tensor.empty()) return;
      spec.tensor = fmt::format("{}.{}", part.tensor, kind);
      spec.first_row = part.first_row;
      spec.rows = part.rows;
    };
    WeightSpec& weight = add(module + ".weight", {part.out, part.in}, part.shard);
    weight.adaptable = part.expert < 0;
    weight.transposed = c_.architecture->transposed_linears;
    weight.packed_as = part.packed_as.empty() ? module : std::string(part.packed_as);
    placed(weight, "weight");
    // A row-parallel bias is added once, after the sum: every rank holds it whole.
    if (part.bias) {
      placed(add(module + ".bias", {part.out}, part.shard == Shard::kColumns ? Shard::kNone : part.shard), "bias");
    }
  }

  void attention(int layer, const BlockNames& names) {
    if (names_.qkv.empty()) {
      linear(names.q, {q_, c_.hidden, c_.qkv_bias, Shard::kRows, names.q});
      linear(names.k, {kv_, c_.hidden, c_.qkv_bias, Shard::kKvRows, names.q});
      linear(names.v, {kv_, c_.hidden, c_.qkv_bias, Shard::kKvRows, names.q});
    } else {
      const std::string fused = fmt::format("{}{}.{}", names_.block, layer, names_.qkv);
      const std::int64_t rows = q_ + 2 * kv_;
      linear(names.q, {q_, c_.hidden, c_.qkv_bias, Shard::kRows, names.q, fused, 0, rows});
      linear(names.k, {kv_, c_.hidden, c_.qkv_bias, Shard::kKvRows, names.q, fused, q_, rows});
      linear(names.v, {kv_, c_.hidden, c_.qkv_bias, Shard::kKvRows, names.q, fused, q_ + kv_, rows});
    }
    linear(names.o, {c_.hidden, q_, c_.output_bias, Shard::kColumns});
    if (!c_.architecture->qk_norm) return;
    add(names.q_norm + ".weight", {c_.head_dim}, Shard::kNone);
    add(names.k_norm + ".weight", {c_.head_dim}, Shard::kNone);
  }

  void mlp(const BlockNames& names) {
    if (c_.gated_mlp) linear(names.gate, {c_.intermediate, c_.hidden, c_.mlp_bias, Shard::kRows, names.up});
    linear(names.up, {c_.intermediate, c_.hidden, c_.mlp_bias, Shard::kRows, names.up});
    linear(names.down, {c_.hidden, c_.intermediate, c_.mlp_bias, Shard::kColumns});
  }

  // Experts are dealt out whole.
  void experts(const BlockNames& names) {
    add(names.router + ".weight", {c_.experts->count, c_.hidden}, Shard::kNone);
    const std::int64_t inner = c_.experts->intermediate;
    for (int expert = 0; expert < c_.experts->count; ++expert) {
      const std::string up = names.expert(expert, names_.expert_up), down = names.expert(expert, names_.expert_down);
      const auto part = [&](const std::string& module, std::int64_t out, std::int64_t in, const std::string& packed) {
        linear(module, {out, in, false, Shard::kNone, packed, {}, 0, 0, expert});
      };
      part(names.expert(expert, names_.expert_gate), inner, c_.hidden, up);
      part(up, inner, c_.hidden, up);
      part(down, c_.hidden, inner, down);
    }
  }

  void block(int layer) {
    const BlockNames names(c_, layer);
    norm(names.input_norm, c_.hidden);
    attention(layer, names);
    norm(names.post_attention_norm, c_.hidden);
    c_.layer(layer).experts ? experts(names) : mlp(names);
  }

  const ModelConfig& c_;
  const TensorNames& names_;
  std::int64_t q_, kv_;
  std::vector<WeightSpec> specs_;
};

}  // namespace

std::vector<std::int64_t> WeightSpec::stored_shape() const {
  std::vector<std::int64_t> out = shape;
  out.front() = rows;
  if (transposed) std::swap(out.front(), out.back());
  return out;
}

ShardSlice WeightSpec::stored(const ShardSlice& slice) const {
  WEFT_CHECK(slice.dimension == 0 || rows == shape.front());  // a part of a fused tensor is split by rows alone
  ShardSlice out = slice;
  if (slice.dimension == 0) out.begin += first_row;
  if (transposed) out.dimension = 1 - slice.dimension;
  return out;
}

std::string WeightSpec::module() const { return module_of(name); }

BlockNames::BlockNames(const ModelConfig& config, int layer) {
  const TensorNames& names = *config.architecture->names;
  const std::string block = fmt::format("{}{}.", names.block, layer);
  const auto full = [&](std::string_view part) { return fmt::format("{}{}", block, part); };
  const auto own_or_part = [&](std::string_view own, std::string_view part) {
    return own.empty() ? fmt::format("{}{}#{}", block, names.qkv, part) : full(own);
  };
  input_norm = full(names.input_norm);
  q = own_or_part(names.q, "q");
  k = own_or_part(names.k, "k");
  v = own_or_part(names.v, "v");
  o = full(names.o);
  q_norm = full(names.q_norm);
  k_norm = full(names.k_norm);
  post_attention_norm = full(names.post_attention_norm);
  gate = full(names.gate);
  up = full(names.up);
  down = full(names.down);
  router = full(names.router);
  experts_ = full(names.experts);
}

std::string BlockNames::expert(int index, std::string_view part) const {
  return fmt::format("{}.{}.{}", experts_, index, part);
}

std::vector<WeightSpec> weight_specs(const ModelConfig& config) {
  return config.encoder ? encoder_decoder_weight_specs(config) : DecoderSpecs(config).take();
}

std::vector<AdaptableLinear> adaptable_linears(const ModelConfig& config) {
  std::vector<AdaptableLinear> out;
  for (WeightSpec& spec : weight_specs(config)) {
    if (!spec.adaptable) continue;
    std::string module = module_of(spec.tensor);
    if (out.empty() || out.back().module != module) out.push_back({std::move(module), spec.shape[1], spec.rows, {}});
    out.back().parts.push_back(std::move(spec));
  }
  return out;
}

ShardedSizes sharded_sizes(const ModelConfig& config) {
  bool dense = config.encoder.has_value();
  for (int layer = 0; layer < config.layers; ++layer) dense = dense || !config.layer(layer).experts;
  return {config.heads, config.kv_heads, dense ? config.intermediate : 0};
}

}  // namespace weft::model
