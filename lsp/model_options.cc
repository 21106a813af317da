#include "lsp/model_options.h"

#include <cstdlib>
#include <memory>
#include <utility>

#include "generation/completion/threshold.h"
#include "generation/memory/mixture.h"

namespace weft::lsp {

const std::map<std::string, generation::MemoryReach>& memory_reaches() {
  using generation::MemoryReach;
  static const std::map<std::string, MemoryReach> kReaches{{"none", MemoryReach::kNothing},
                                                           {"document", MemoryReach::kDocument},
                                                           {"project", MemoryReach::kProject},
                                                           {"environment", MemoryReach::kEnvironment}};
  return kReaches;
}

void add_model_options(CLI::App& app, ModelOptions& options) {
  static const std::map<std::string, model::DType> kWeights{{"auto", model::DType::kAuto},
                                                            {"fp32", model::DType::kFloat32},
                                                            {"bf16", model::DType::kBFloat16},
                                                            {"int8", model::DType::kInt8},
                                                            {"int4", model::DType::kInt4}};
  app.add_option("--model", options.model,
                 "model directory or GGUF file (default: $WEFT_MODEL, else the one that came along)")
      ->type_name("DIR");
  app.add_option("--weights", options.weights, "hold them as auto (as they are stored), fp32, bf16, int8 or int4")
      ->type_name("FORMAT")
      ->transform(CLI::CheckedTransformer(kWeights));
  app.add_option("--threads", options.threads, "compute threads; 0: as many as pay")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--tensor-parallel", options.tensor_parallel,
                 "split the model over N processes, which share --threads")
      ->type_name("N")
      ->check(CLI::Range(1, model::kMaxTensorParallel))
      ->capture_default_str();
}

model::LoadOptions load_options(const ModelOptions& options, std::string directory) {
  model::LoadOptions out;
  out.directory = std::move(directory);
  out.dtype = options.weights;
  out.threads = options.threads;
  out.tensor_parallel = options.tensor_parallel;
  return out;
}

Expected<void> add_memory_weights(generation::CompletionOptions& options, const std::string& model_directory) {
  auto weights = generation::load_memory_weights(model_directory);
  if (!weights) return weights.error();
  if (*weights) options.memory_weights = std::make_shared<const generation::MemoryWeights>(**weights);
  return {};
}

generation::EnvironmentOptions environment_options() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  generation::EnvironmentOptions options;
  options.folder = generation::environment_folder(variable("XDG_CACHE_HOME"), variable("HOME"));
  options.variables = {.virtual_env = variable("VIRTUAL_ENV"), .path = variable("PATH")};
  return options;
}

Expected<void> add_calibration(generation::CompletionOptions& options, const std::string& model_directory) {
  auto calibration = generation::load_calibration(model_directory);
  if (!calibration) return calibration.error();
  if (*calibration) options.calibration = std::make_shared<const generation::Calibration>(**calibration);
  return {};
}

}  // namespace weft::lsp
