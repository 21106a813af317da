#include "model/lora_bank.h"

#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::model {
namespace {

Expected<void> check_count(const LoraDelta& delta, std::string_view factor, std::size_t count, std::int64_t rows,
                           std::int64_t columns) {
  if (count == static_cast<std::size_t>(rows * columns)) return {};
  return make_error("{}.{} of shape [{}, {}] has {} values, not {}", delta.module, factor, rows, columns, count,
                    rows * columns);
}

}  // namespace

// The rows of each adapter; those without are in no segment.
class LoraBank::StepDeltas final : public Deltas {
 public:
  struct Segment {
    const PackedAdapter* adapter;
    std::vector<std::int64_t> rows;
  };
  StepDeltas(const LoraBank& bank, std::vector<Segment> segments) : bank_(bank), segments_(std::move(segments)) {}

  // Adds in place: `y` is the linear's own and nobody else's.
  [[nodiscard]] at::Tensor apply(const std::string& module, const at::Tensor& x, const at::Tensor& y) const override {
    const auto place = bank_.places_.find(module);
    if (place == bank_.places_.end()) return y;
    std::vector<LoraSegment> own;
    own.reserve(segments_.size());
    for (const Segment& segment : segments_) {
      const PackedFactors& factors = segment.adapter->of(place->second);
      if (factors.rank > 0) own.push_back({factors, segment.rows});
    }
    if (own.empty()) return y;
    const at::Tensor rows = x.stride(-1) == 1 ? x : x.contiguous();
    WEFT_CHECK(y.stride(-1) == 1);
    add_lora(bank_.cpu_, own, {rows.const_data_ptr<float>(), rows.size(0), rows.stride(0)},
             {y.mutable_data_ptr<float>(), y.stride(0)});
    return y;
  }

 private:
  const LoraBank& bank_;
  std::vector<Segment> segments_;
};

LoraBank::LoraBank(const ModelConfig& config, const Communicator& communicator, const Cpu& cpu)
    : plan_(*ShardPlan::make(communicator.size(), sharded_sizes(config))), rank_(communicator.rank()), cpu_(cpu) {
  for (AdaptableLinear& linear : adaptable_linears(config)) {
    for (const WeightSpec& part : linear.parts) places_.emplace(part.module(), places_.size());
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

void LoraBank::add_own_share(const LoraDelta& delta, std::span<LoraMatrices> linears) const {
  for (const WeightSpec& part : linears_.at(delta.module).parts) {
    const ShardSlice slice = plan_.slice(part.shard, part.shape, rank_);
    LoraMatrices& own = linears[places_.at(part.module())];
    own = {.a = {delta.a.data(), delta.rank, delta.in, delta.in},
           .b = {delta.b.data(), delta.out, delta.rank, delta.rank},
           .scaling = delta.scaling};
    if (slice.dimension == 0) {
      own.b.data += (part.first_row + slice.begin) * own.b.stride;
      own.b.rows = slice.length;
    } else {
      own.a.data += slice.begin;
      own.a.columns = slice.length;
    }
  }
}

Expected<void> LoraBank::install(AdapterId id, const LoraAdapter& adapter) {
  WEFT_CHECK(id != AdapterId() && !holds(id));
  std::vector<LoraMatrices> linears(places_.size());
  std::set<std::string_view> seen;
  for (const LoraDelta& delta : adapter.deltas) {
    if (auto fits = check(delta); !fits) return make_error("adapter {}: {}", adapter.name, fits.error().message);
    if (!seen.insert(delta.module).second) {
      return make_error("adapter {}: {} stands twice", adapter.name, delta.module);
    }
    add_own_share(delta, linears);
  }
  adapters_.emplace(id, PackedAdapter(linears));
  return {};
}

std::unique_ptr<const Deltas> LoraBank::deltas_for(std::span<const AdapterRows> rows) const {
  std::vector<StepDeltas::Segment> segments;
  std::unordered_map<AdapterId, std::size_t> by_adapter;
  std::int64_t row = 0;
  for (const AdapterRows& each : rows) {
    const std::int64_t end = row + each.count;
    if (each.adapter == AdapterId()) {
      row = end;
      continue;
    }
    const auto [place, first] = by_adapter.try_emplace(each.adapter, segments.size());
    if (first) segments.push_back({&adapters_.at(each.adapter), {}});
    std::vector<std::int64_t>& own = segments[place->second].rows;
    for (; row < end; ++row) own.push_back(row);
  }
  if (segments.empty()) return nullptr;
  return std::make_unique<StepDeltas>(*this, std::move(segments));
}

}  // namespace weft::model
