#include "adapters/train/lora_factors.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <span>

#include "model/config/weight_specs.h"

namespace weft::adapters {
namespace {

at::Tensor leaf(const std::vector<float>& values, std::int64_t rows, std::int64_t columns) {
  return at::tensor(values, at::kFloat).view({rows, columns}).clone().set_requires_grad(true);
}

std::vector<float> values_of(const at::Tensor& tensor) {
  const at::Tensor whole = tensor.detach().contiguous();
  const std::span<const float> values(whole.const_data_ptr<float>(), static_cast<std::size_t>(whole.numel()));
  return {values.begin(), values.end()};
}

}  // namespace

LoraFactors::LoraFactors(const model::ModelConfig& config) {
  for (const model::AdaptableLinear& linear : model::adaptable_linears(config)) {
    for (const model::WeightSpec& part : linear.parts) {
      parts_[part.module()] = {linear.module, part.first_row, part.shape[0]};
    }
  }
}

LoraFactors LoraFactors::fresh(const model::ModelConfig& config, const LoraShape& shape, std::uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  LoraFactors out(config);
  for (const model::AdaptableLinear& linear : model::adaptable_linears(config)) {
    const double bound = 1 / std::sqrt(static_cast<double>(linear.in));
    const at::Tensor a = at::empty({shape.rank, linear.in}, at::kFloat).uniform_(-bound, bound, generator);
    out.modules_.push_back(linear.module);
    out.pairs_[linear.module] = {a.set_requires_grad(true),
                                 at::zeros({linear.out, shape.rank}, at::kFloat).set_requires_grad(true),
                                 shape.alpha / static_cast<double>(shape.rank)};
  }
  return out;
}

LoraFactors::LoraFactors(const model::ModelConfig& config, const model::LoraAdapter& adapter) : LoraFactors(config) {
  for (const model::LoraDelta& delta : adapter.deltas) {
    modules_.push_back(delta.module);
    pairs_[delta.module] = {leaf(delta.a, delta.rank, delta.in), leaf(delta.b, delta.out, delta.rank), delta.scaling};
  }
}

at::Tensor LoraFactors::apply(const std::string& module, const at::Tensor& x, const at::Tensor& y) const {
  const auto part = parts_.find(module);
  const auto found = part == parts_.end() ? pairs_.end() : pairs_.find(part->second.module);
  if (found == pairs_.end()) return y;
  const Rows& rows = part->second;
  const Pair& pair = found->second;
  const at::Tensor low = at::linear(x, pair.a.to(x.scalar_type()));  // [N, r]
  const at::Tensor b = pair.b.narrow(0, rows.begin, rows.count).to(x.scalar_type());
  return y + at::linear(low, b) * pair.scaling;
}

std::vector<Parameter> LoraFactors::parameters() const {
  std::vector<Parameter> out;
  for (const std::string& module : modules_) {
    out.push_back({module + ".lora_A", pairs_.at(module).a});
    out.push_back({module + ".lora_B", pairs_.at(module).b});
  }
  return out;
}

model::LoraAdapter LoraFactors::to_adapter() const {
  model::LoraAdapter out;
  for (const std::string& module : modules_) {
    const Pair& pair = pairs_.at(module);
    out.deltas.push_back(
        {module, pair.a.size(0), pair.a.size(1), pair.b.size(0), pair.scaling, values_of(pair.a), values_of(pair.b)});
  }
  return out;
}

}  // namespace weft::adapters
