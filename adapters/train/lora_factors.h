// LoraFactors: an adapter's A and B as fp32 leaves that autograd reaches, over frozen weights (Hu et al. 2021).
// Training thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/train/optimizer.h"
#include "model/config/model_config.h"
#include "model/layers/deltas.h"
#include "model/lora.h"

namespace weft::adapters {

struct LoraShape {
  std::int64_t rank = 16;
  double alpha = 32;  // scaling: alpha / rank
};

class LoraFactors final : public model::Deltas {
 public:
  // On all linears. A uniform in ±1/sqrt(in), B zero, as PEFT begins: the base unchanged.
  static LoraFactors fresh(const model::ModelConfig& config, const LoraShape& shape, std::uint64_t seed);
  LoraFactors(const model::ModelConfig& config, const model::LoraAdapter& adapter);  // which fits the model

  // The product is taken in the dtype of x, as the linear's own is.
  [[nodiscard]] at::Tensor apply(const std::string& module, const at::Tensor& x, const at::Tensor& y) const override;

  [[nodiscard]] std::vector<Parameter> parameters() const;  // "MODULE.lora_A" [r, in], "MODULE.lora_B" [out, r]
  [[nodiscard]] model::LoraAdapter to_adapter() const;      // copies; without a name

 private:
  struct Pair {
    at::Tensor a, b;  // [r, in], [out, r]
    double scaling = 1;
  };
  struct Rows {  // of B that a part of a linear has
    std::string module;
    std::int64_t begin = 0, count = 0;
  };
  explicit LoraFactors(const model::ModelConfig& config);
  std::vector<std::string> modules_;             // in the order of the base's linears
  std::unordered_map<std::string, Rows> parts_;  // by WeightSpec::module
  std::unordered_map<std::string, Pair> pairs_;
};

}  // namespace weft::adapters
