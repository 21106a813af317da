// A model's folder, bound for LibTorch or for the own kernels; and a folder of tests/parity/golden, a tiny checkpoint
// with what transformers computes with it. Test's thread only.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "model/layers/transformer.h"
#include "model/tensor_file.h"
#include "model/weight_reader.h"
#include "model/weights/safetensors.h"

namespace weft::test {

using Stages = std::map<std::string, at::Tensor>;

// fp32: absolute below 1, relative above.
constexpr double kFp32Tolerance = 1e-5;

inline double largest_error(const at::Tensor& actual, const at::Tensor& expected) {
  const at::Tensor scale = expected.abs().clamp_min(1.0);
  return ((actual - expected).abs() / scale).max().item<double>();
}

inline double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  return ((actual.to(at::kFloat) - expected).norm() / expected.norm()).item<double>();
}

class ModelFolder {
 public:
  // A path from the sources' root.
  explicit ModelFolder(const std::string& path) : folder_(std::string(WEFT_SOURCE_DIR) + "/" + path) {
    auto config = model::read_model_config(folder_);
    EXPECT_TRUE(config) << folder_;
    config_ = *std::move(config);
  }
  [[nodiscard]] const std::string& path() const { return folder_; }
  [[nodiscard]] const model::ModelConfig& config() const { return config_; }
  // Binds a Model to the folder's weights for LibTorch.
  template <class Model>
  [[nodiscard]] Model bind(at::ScalarType dtype, model::Communicator& communicator) const {
    const auto checkpoint = model::Checkpoint::open(folder_);
    EXPECT_TRUE(checkpoint);
    auto bound = Model::bind(
        config_, [&](const model::WeightSpec& spec) { return model::read_weight(*checkpoint, spec, dtype); },
        communicator);
    EXPECT_TRUE(bound) << bound.error().message;
    return *std::move(bound);
  }
  // Binds the decoder for the processor's own kernels, its linears in `format`.
  [[nodiscard]] model::Transformer packed(const model::MatrixFormat& format, model::Communicator& communicator) const {
    const auto checkpoint = model::Checkpoint::open(folder_);
    EXPECT_TRUE(checkpoint);
    const model::Cpu* const cpu = *model::serving_cpu(0);
    const auto pack = [&](std::span<const model::WeightSpec> parts) {
      return model::pack_weights(*checkpoint, parts, model::ShardPlan::solo(), Rank{0}, format, *cpu->workers);
    };
    const model::Packing packing{pack, cpu};
    auto bound = model::Transformer::bind(
        config_, [&](const model::WeightSpec& spec) { return model::read_weight(*checkpoint, spec, at::kFloat); },
        communicator, &packing);
    EXPECT_TRUE(bound) << bound.error().message;
    return *std::move(bound);
  }

 private:
  std::string folder_;
  model::ModelConfig config_;
};

class GoldenFolder : public ModelFolder {
 public:
  explicit GoldenFolder(const std::string& family) : ModelFolder("tests/parity/golden/" + family) {
    auto golden = model::SafetensorsFile::open(path() + "/golden.safetensors");
    EXPECT_TRUE(golden) << path();
    golden_ = *std::move(golden);
  }
  [[nodiscard]] at::Tensor tensor(const std::string& name) const {
    const auto view = golden_->find(name);
    EXPECT_TRUE(view) << view.error().message;
    return model::to_tensor(*view);
  }

 private:
  std::shared_ptr<const model::SafetensorsFile> golden_;
};

}  // namespace weft::test
