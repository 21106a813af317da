#include "adapters/train/model_weights.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <unordered_map>

#include "model/backend.h"
#include "model/tensor_file.h"
#include "model/tokenizer/tokenizer.h"
#include "model/weight_reader.h"
#include "model/weights/checkpoint.h"
#include "model/weights/safetensors.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using model::WeightSpec;

bool ends_with_one_of(std::string_view text, std::initializer_list<std::string_view> ends) {
  return std::ranges::any_of(ends, [&](std::string_view end) { return text.ends_with(end); });
}

at::Tensor initial(const model::ModelConfig& config, const WeightSpec& spec, at::Generator& generator) {
  if (spec.name.ends_with("norm.weight")) return at::ones(spec.shape, at::kFloat);
  if (spec.name.ends_with(".bias")) return at::zeros(spec.shape, at::kFloat);
  const bool residual = ends_with_one_of(spec.name, {"o_proj.weight", "down_proj.weight", ".o.weight", ".wo.weight"});
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

std::vector<Parameter> draw_weights(const model::ModelConfig& config, std::uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  std::vector<Parameter> weights;
  for (const WeightSpec& spec : model::weight_specs(config)) {
    weights.push_back({spec.name, initial(config, spec, generator).set_requires_grad(true)});
  }
  return weights;
}

Expected<std::vector<Parameter>> read_weights(const model::ModelConfig& config, const std::string& directory) {
  const auto checkpoint = model::Checkpoint::open(directory);
  if (!checkpoint) return checkpoint.error();
  std::vector<Parameter> weights;
  for (const WeightSpec& spec : model::weight_specs(config)) {
    if (spec.transposed || spec.rows != spec.shape.front()) {
      return make_error("{}: all of a {} cannot be trained, an adapter for it can", directory,
                        config.architecture->name);
    }
    auto weight = model::read_weight(*checkpoint, spec, at::kFloat);
    if (!weight) return make_error("{}: {}", directory, weight.error().message);
    weights.push_back({spec.name, weight->set_requires_grad(true)});
  }
  return weights;
}

model::WeightLookup cast_for_pass(const std::vector<Parameter>& weights) {
  const at::ScalarType dtype = model::multiplies_bf16() ? at::kBFloat16 : at::kFloat;
  std::unordered_map<std::string, at::Tensor> cast;
  for (const Parameter& weight : weights) cast.emplace(weight.name, weight.value.to(dtype));
  return [cast = std::move(cast)](const WeightSpec& spec) -> Expected<at::Tensor> { return cast.at(spec.name); };
}

Expected<void> package_model(const model::ModelConfig& config, const std::vector<Parameter>& weights,
                             const std::string& directory, const std::string& tokenizer) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) return make_error("{}: {}", directory, failed.message());
  std::vector<at::Tensor> rounded;
  std::vector<model::NamedTensorView> views;
  for (const Parameter& weight : weights) {
    rounded.push_back(weight.value.detach().to(at::kBFloat16).contiguous());
    views.push_back({weight.name, model::to_view(rounded.back())});
  }
  const fs::path base(directory);
  if (auto written = model::write_safetensors((base / "model.safetensors").string(), views, {{"format", "pt"}});
      !written) {
    return written.error();
  }
  if (auto written = write_text(base / "config.json", to_json(config)); !written) return written.error();
  for (const std::string& file : model::tokenizer_files(tokenizer)) {
    fs::copy_file(file, base / fs::path(file).filename(), fs::copy_options::overwrite_existing, failed);
    if (failed) return make_error("{}: {}", file, failed.message());
  }
  return {};
}

}  // namespace weft::adapters
