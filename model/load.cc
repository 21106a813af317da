// Loading a model directory. Any thread; torch's exceptions end here and become errors.
#include <ATen/core/Tensor.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <thread>
#include <type_traits>

#include "model/backend.h"
#include "model/encoder_decoder_runner.h"
#include "model/runner.h"
#include "model/tensor_file.h"
#include "model/torch_runner.h"
#include "model/weights/safetensors.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;

// Below this, a second thread waits for the first longer than it helps, and far longer on a busy machine.
constexpr std::size_t kSmallModelParameters = 50'000'000;

int thread_count(int requested, std::size_t parameters) {
  if (requested > 0) return requested;
  return parameters < kSmallModelParameters ? 1 : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Expected<at::Tensor> load_weight(const Checkpoint& checkpoint, const WeightSpec& spec, at::ScalarType dtype) {
  const Expected<TensorView> view = checkpoint.find(spec.name);
  if (!view) return view.error();
  if (view->shape != spec.shape) {
    return make_error("weight {} has shape [{}], config.json asks for [{}]", spec.name, fmt::join(view->shape, ", "),
                      fmt::join(spec.shape, ", "));
  }
  if (view->dtype == Dtype::kI64) return make_error("weight {} is of dtype I64, not a floating-point one", spec.name);
  return to_tensor(*view).to(dtype);
}

Expected<std::unique_ptr<ModelRunner>> load_runner(const ModelConfig& config, const LoadOptions& options) {
  const Expected<Checkpoint> checkpoint = Checkpoint::open(options.directory);
  if (!checkpoint) return checkpoint.error();
  const bool bf16 = options.dtype == DType::kBFloat16 || (options.dtype == DType::kAuto && multiplies_bf16());
  const at::ScalarType dtype = bf16 ? at::kBFloat16 : at::kFloat;
  const std::size_t total = weight_specs(config).size();
  std::size_t done = 0;
  const WeightLookup lookup = [&](const WeightSpec& spec) {
    if (options.progress) options.progress(static_cast<double>(done++) / static_cast<double>(total));
    return load_weight(*checkpoint, spec, dtype);
  };
  const RunnerInfo info{.name = config.name,
                        .device = "cpu",
                        .dtype = bf16 ? "bf16" : "fp32",
                        .vocabulary = static_cast<std::size_t>(config.vocabulary),
                        .max_positions = static_cast<std::size_t>(config.max_positions),
                        .parameters = config.parameters()};
  const auto communicator = std::make_shared<SoloCommunicator>();
  const auto make = [&]<class Runner, class Model>(std::type_identity<Runner>,
                                                   Expected<Model> model) -> Expected<std::unique_ptr<ModelRunner>> {
    if (!model) return make_error("{}: {}", options.directory, model.error().message);
    return std::unique_ptr<ModelRunner>(std::make_unique<Runner>(config, *std::move(model), communicator, info, dtype,
                                                                 thread_count(options.threads, info.parameters)));
  };
  if (config.encoder) {
    return make(std::type_identity<EncoderDecoderRunner>(), EncoderDecoder::bind(config, lookup, *communicator));
  }
  return make(std::type_identity<TorchRunner>(), Transformer::bind(config, lookup, *communicator));
}

}  // namespace

Expected<LoadedModel> load_model(const LoadOptions& options) {
  try {
    Expected<ModelConfig> config = read_model_config(options.directory);
    if (!config) return config.error();
    const auto tokenizer_path = find_sentencepiece(options.directory);
    if (!tokenizer_path) return tokenizer_path.error();
    auto tokenizer = load_sentencepiece(*tokenizer_path);
    if (!tokenizer) return tokenizer.error();
    if ((*tokenizer)->vocabulary() > static_cast<std::size_t>(config->vocabulary)) {
      return make_error("{} has {} pieces, config.json a vocabulary of {}: they are not of one model", *tokenizer_path,
                        (*tokenizer)->vocabulary(), config->vocabulary);
    }
    auto runner = load_runner(*config, options);
    if (!runner) return runner.error();
    if (options.progress) options.progress(1);
    return LoadedModel{*std::move(config), *std::move(tokenizer), *std::move(runner)};
  } catch (const std::exception& failure) {
    return make_error("{}: {}", options.directory, failure.what());
  }
}

Expected<std::string> find_model_directory(const std::string& requested) {
  const auto checked = [](const fs::path& directory, std::string_view origin) -> Expected<std::string> {
    std::error_code ignored;
    if (fs::exists(directory / "config.json", ignored)) return directory.string();
    return make_error("no model in {} ({}): it has no config.json", directory.string(), origin);
  };
  if (!requested.empty()) return checked(requested, "given by --model");
  if (const char* named = std::getenv("WEFT_MODEL"); named != nullptr && *named != '\0') {
    return checked(named, "given by WEFT_MODEL");
  }
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  // Installed: PREFIX/bin/weftd and PREFIX/share/weft; built: build/PRESET/bin/weftd in a checkout.
  const std::array<fs::path, 2> places{program.parent_path() / "../share/weft/model/default",
                                       program.parent_path() / "../../../model/default"};
  for (const fs::path& place : places) {
    if (fs::exists(place / "config.json", failed)) return fs::weakly_canonical(place).string();
  }
  return make_error("no model found: looked in {} and {}; name one with --model or WEFT_MODEL",
                    places[0].lexically_normal().string(), places[1].lexically_normal().string());
}

}  // namespace weft::model
