#include "model/lora_bank.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>

#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::model {
namespace {

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
    : plan_(*ShardPlan::make(communicator.size(), sharded_sizes(config))),
      rank_(communicator.rank()),
      options_(options) {
  for (AdaptableLinear& linear : adaptable_linears(config)) {
    std::string module = linear.module;
    linears_.emplace(std::move(module), std::move(linear));
  }
}

Expected<void> LoraBank::check(const LoraDelta& delta) const {
  const auto found = linears_.find(delta.module);
  if (found == linears_.end()) return make_error("the model has no linear {}", delta.module);
  const AdaptableLinear& linear = found->second;
  if (linear.out != delta.out || linear.in != delta.in) {
    return make_error("shape mismatch for {}: the model has [{}, {}], the adapter is for [{}, {}]", delta.module,
                      linear.out, linear.in, delta.out, delta.in);
  }
  if (delta.rank <= 0) return make_error("{} has rank {}: at least 1 is needed", delta.module, delta.rank);
  if (auto a = check_count(delta, "lora_A", delta.a.size(), delta.rank, delta.in); !a) return a.error();
  return check_count(delta, "lora_B", delta.b.size(), delta.out, delta.rank);
}

void LoraBank::add_own_share(const LoraDelta& delta, Modules& modules) const {
  const auto held = [this](const at::Tensor& x) {
    return x.to(options_, /*non_blocking=*/false, /*copy=*/true).contiguous();
  };
  const at::Tensor a = tensor_of(delta.a, delta.rank, delta.in), b = tensor_of(delta.b, delta.out, delta.rank);
  const at::Tensor whole_a = held(a);
  for (const WeightSpec& part : linears_.at(delta.module).parts) {
    const ShardSlice slice = plan_.slice(part.shard, part.shape, rank_);
    const bool by_rows = slice.dimension == 0;
    const at::Tensor rows = by_rows ? b.narrow(0, part.first_row + slice.begin, slice.length) : b;
    modules.emplace(part.module(), Factors{by_rows ? whole_a : held(a.narrow(1, slice.begin, slice.length)),
                                           held(rows * delta.scaling)});
  }
}

Expected<void> LoraBank::install(AdapterId id, const LoraAdapter& adapter) {
  WEFT_CHECK(id != AdapterId() && !holds(id));
  Modules modules;
  std::set<std::string_view> seen;
  for (const LoraDelta& delta : adapter.deltas) {
    if (auto fits = check(delta); !fits) return make_error("adapter {}: {}", adapter.name, fits.error().message);
    if (!seen.insert(delta.module).second) {
      return make_error("adapter {}: {} stands twice", adapter.name, delta.module);
    }
    add_own_share(delta, modules);
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
