#include "model/lora_bank.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

namespace weft::model {
namespace {

constexpr std::string_view kWeight = ".weight";

// The rank's part of `size` features in `dim`, of which `units` (heads, or features themselves) are dealt out; where
// there are more ranks than units, neighbours hold the same one.
at::Tensor share_of(const at::Tensor& whole, int dim, std::int64_t units, int rank, int ranks) {
  const std::int64_t unit = whole.size(dim) / units;
  const std::int64_t held = std::max<std::int64_t>(units / ranks, 1);
  const std::int64_t first = units >= ranks ? rank * held : std::int64_t{rank} * units / ranks;
  return whole.narrow(dim, first * unit, held * unit);
}

at::Tensor tensor_of(const std::vector<float>& values, std::int64_t rows, std::int64_t columns) {
  // from_blob wants a pointer to what is not const; the tensor is read only, and copied below.
  return at::from_blob(const_cast<float*>(values.data()), {rows, columns}, at::kFloat);
}

Expected<void> check_count(const LoraDelta& delta, std::string_view factor, std::size_t count, std::int64_t rows,
                           std::int64_t columns) {
  if (count == static_cast<std::size_t>(rows * columns)) return {};
  return make_error("{}.{} of shape [{}, {}] has {} values, not {}", delta.module, factor, rows, columns, count,
                    rows * columns);
}

}  // namespace

// Segments of rows with one adapter each; what has none is in no segment.
class LoraBank::StepDeltas final : public Deltas {
 public:
  struct Segment {
    const Modules* modules;
    std::int64_t begin, count;
  };
  explicit StepDeltas(std::vector<Segment> segments) : segments_(std::move(segments)) {}

  // Adds in place: `y` is the linear's own and nobody else's.
  [[nodiscard]] at::Tensor apply(const std::string& module, const at::Tensor& x, const at::Tensor& y) const override {
    for (const Segment& segment : segments_) {
      const auto found = segment.modules->find(module);
      if (found == segment.modules->end()) continue;
      const at::Tensor rows = x.narrow(0, segment.begin, segment.count);  // [n, in/R or in]
      const at::Tensor inner = at::linear(rows, found->second.a);         // [n, r]
      y.narrow(0, segment.begin, segment.count).addmm_(inner, found->second.b.transpose(0, 1));
    }
    return y;
  }

 private:
  std::vector<Segment> segments_;
};

LoraBank::LoraBank(const ModelConfig& config, const Communicator& communicator, at::TensorOptions options)
    : ranks_(communicator.size()), rank_(communicator.rank().value()), kv_heads_(config.kv_heads), options_(options) {
  for (WeightSpec& spec : weight_specs(config)) {
    if (!spec.adaptable) continue;
    std::string module = spec.name.substr(0, spec.name.size() - kWeight.size());
    linears_.emplace(std::move(module), std::move(spec));
  }
}

Expected<void> LoraBank::check(const LoraDelta& delta) const {
  const auto found = linears_.find(delta.module);
  if (found == linears_.end()) return make_error("the model has no linear {}", delta.module);
  const std::vector<std::int64_t>& shape = found->second.shape;
  if (shape[0] != delta.out || shape[1] != delta.in) {
    return make_error("shape mismatch for {}: the model has [{}], the adapter is for [{}, {}]", delta.module,
                      fmt::join(shape, ", "), delta.out, delta.in);
  }
  if (delta.rank <= 0) return make_error("{} has rank {}: at least 1 is needed", delta.module, delta.rank);
  if (auto a = check_count(delta, "lora_A", delta.a.size(), delta.rank, delta.in); !a) return a.error();
  return check_count(delta, "lora_B", delta.b.size(), delta.out, delta.rank);
}

LoraBank::Factors LoraBank::own_share(const LoraDelta& delta) const {
  at::Tensor a = tensor_of(delta.a, delta.rank, delta.in);
  at::Tensor b = tensor_of(delta.b, delta.out, delta.rank) * delta.scaling;
  switch (linears_.at(delta.module).shard) {
    case WeightSpec::Shard::kNone:
      break;
    case WeightSpec::Shard::kRows:
      b = share_of(b, 0, delta.out, rank_, ranks_);
      break;
    case WeightSpec::Shard::kKvRows:
      b = share_of(b, 0, kv_heads_, rank_, ranks_);
      break;
    case WeightSpec::Shard::kColumns:
      a = share_of(a, 1, delta.in, rank_, ranks_);
      break;
  }
  const auto held = [this](const at::Tensor& x) { return x.to(options_, /*non_blocking=*/false, /*copy=*/true); };
  return {held(a).contiguous(), held(b).contiguous()};
}

Expected<void> LoraBank::install(AdapterId id, const LoraAdapter& adapter) {
  WEFT_CHECK(id != AdapterId() && !holds(id));
  Modules modules;
  for (const LoraDelta& delta : adapter.deltas) {
    if (auto fits = check(delta); !fits) return make_error("adapter {}: {}", adapter.name, fits.error().message);
    if (!modules.try_emplace(delta.module, own_share(delta)).second) {
      return make_error("adapter {}: {} stands twice", adapter.name, delta.module);
    }
  }
  adapters_.emplace(id, std::move(modules));
  return {};
}

std::unique_ptr<const Deltas> LoraBank::deltas_for(std::span<const AdapterRows> rows) const {
  std::vector<StepDeltas::Segment> segments;
  std::int64_t begin = 0;
  for (const AdapterRows& each : rows) {
    if (each.adapter != AdapterId()) {
      const Modules* modules = &adapters_.at(each.adapter);
      const bool follows = !segments.empty() && segments.back().modules == modules &&
                           segments.back().begin + segments.back().count == begin;
      if (follows) {
        segments.back().count += each.count;
      } else {
        segments.push_back({modules, begin, each.count});
      }
    }
    begin += each.count;
  }
  if (segments.empty()) return nullptr;
  return std::make_unique<StepDeltas>(std::move(segments));
}

}  // namespace weft::model
