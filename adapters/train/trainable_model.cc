#include "adapters/train/trainable_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <unordered_map>

#include "adapters/train/decoder_loss.h"
#include "model/backend.h"
#include "model/tensor_file.h"
#include "model/weights/safetensors.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using model::WeightSpec;

bool ends_with(const std::string& text, std::string_view end) { return std::string_view(text).ends_with(end); }

at::Tensor initial(const model::ModelConfig& config, const WeightSpec& spec, at::Generator& generator) {
  if (ends_with(spec.name, "norm.weight")) return at::ones(spec.shape, at::kFloat);
  if (ends_with(spec.name, ".bias")) return at::zeros(spec.shape, at::kFloat);
  const bool residual = ends_with(spec.name, "o_proj.weight") || ends_with(spec.name, "down_proj.weight");
  const double deviation = residual ? 0.02 / std::sqrt(2.0 * config.layers) : 0.02;
  return at::empty(spec.shape, at::kFloat).normal_(0.0, deviation, generator);
}

Expected<void> write_text(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) return make_error("{}: cannot be written", path.string());
  return {};
}

}  // namespace

TrainableModel TrainableModel::random(const model::ModelConfig& config, std::uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  std::vector<Parameter> parameters;
  for (const WeightSpec& spec : model::weight_specs(config)) {
    parameters.push_back({spec.name, initial(config, spec, generator).set_requires_grad(true)});
  }
  return {config, std::move(parameters)};
}

Expected<TrainableModel> TrainableModel::from_directory(const model::ModelConfig& config,
                                                        const std::string& directory) {
  const auto checkpoint = model::Checkpoint::open(directory);
  if (!checkpoint) return checkpoint.error();
  std::vector<Parameter> parameters;
  for (const WeightSpec& spec : model::weight_specs(config)) {
    const auto view = checkpoint->find(spec.name);
    if (!view) return view.error();
    if (view->shape != spec.shape)
      return make_error("{}: {} has another shape than the model to train", directory, spec.name);
    parameters.push_back({spec.name, model::to_tensor(*view).to(at::kFloat).set_requires_grad(true)});
  }
  return TrainableModel(config, std::move(parameters));
}

at::Tensor TrainableModel::loss_sum(const RowBatch& batch) const {
  std::unordered_map<std::string_view, at::Tensor> cast;
  const at::ScalarType dtype = model::multiplies_bf16() ? at::kBFloat16 : at::kFloat;
  for (const Parameter& parameter : parameters_) cast.emplace(parameter.name, parameter.value.to(dtype));
  model::SoloCommunicator solo;
  const auto transformer = model::Transformer::bind(
      config_, [&](const WeightSpec& spec) -> Expected<at::Tensor> { return cast.at(spec.name); }, solo);
  WEFT_CHECK(transformer.has_value());
  model::DocumentAttention attention(document_lengths(batch));
  const at::Tensor hidden = transformer->hidden(at::tensor(batch.ids, at::kLong),
                                                at::tensor(batch.positions, at::kLong), {.attention = attention});
  return cross_entropy_sum(*transformer, hidden, at::tensor(batch.targets, at::kLong));
}

Expected<void> TrainableModel::package(const std::string& directory, const std::string& tokenizer) const {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) return make_error("{}: {}", directory, failed.message());
  std::vector<at::Tensor> rounded;
  std::vector<model::NamedTensorView> views;
  for (const Parameter& parameter : parameters_) {
    rounded.push_back(parameter.value.detach().to(at::kBFloat16).contiguous());
    views.push_back({parameter.name, model::to_view(rounded.back())});
  }
  const fs::path base(directory);
  if (auto written = model::write_safetensors((base / "model.safetensors").string(), views, {{"format", "pt"}});
      !written) {
    return written.error();
  }
  if (auto written = write_text(base / "config.json", to_json(config_)); !written) return written.error();
  fs::copy_file(tokenizer, base / "tokenizer.model", fs::copy_options::overwrite_existing, failed);
  if (failed) return make_error("{}: {}", tokenizer, failed.message());
  return {};
}

}  // namespace weft::adapters
