#include "model/load_runner.h"

#include <algorithm>
#include <thread>
#include <type_traits>

#include "model/backend.h"
#include "model/encoder_decoder_runner.h"
#include "model/parallel/shard_plan.h"
#include "model/tensor_file.h"
#include "model/torch_runner.h"
#include "model/weights/checkpoint.h"

namespace weft::model {
namespace {

// Below this, a second thread waits for the first longer than it helps, and far longer on a busy machine.
constexpr std::size_t kSmallModelParameters = 50'000'000;

struct SliceReader {
  const Checkpoint& checkpoint;
  const ShardPlan& plan;
  Rank rank;
  at::ScalarType dtype;

  Expected<at::Tensor> operator()(const WeightSpec& spec) const {
    const Expected<TensorView> view = checkpoint.find(spec.name);
    if (!view) return view.error();
    if (view->shape != spec.shape) {
      return make_error("weight {} has shape [{}], config.json asks for [{}]", spec.name, fmt::join(view->shape, ", "),
                        fmt::join(spec.shape, ", "));
    }
    auto tensor = to_tensor(*view, plan.slice(spec.shard, spec.shape, rank), dtype);
    if (!tensor) return make_error("weight {} {}", spec.name, tensor.error().message);
    return tensor;
  }
};

}  // namespace

static_assert(kMaxTensorParallel == kMaxRanks);

DType decide_dtype(DType requested) {
  if (requested != DType::kAuto) return requested;
  return multiplies_bf16() ? DType::kBFloat16 : DType::kFloat32;
}

int decide_threads(int requested, std::size_t parameters, int ranks) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int all = requested > 0 ? requested : parameters < kSmallModelParameters ? 1 : cores;
  return std::max(1, all / ranks);
}

Expected<std::unique_ptr<ModelRunner>> load_runner(const ModelConfig& config, const LoadOptions& options,
                                                   std::shared_ptr<Communicator> communicator) {
  const Expected<Checkpoint> checkpoint = Checkpoint::open(options.directory);
  if (!checkpoint) return checkpoint.error();
  const auto plan = ShardPlan::make(communicator->size(), sharded_sizes(config));
  if (!plan) return make_error("{}: {}", options.directory, plan.error().message);
  const bool bf16 = decide_dtype(options.dtype) == DType::kBFloat16;
  const SliceReader read{*checkpoint, *plan, communicator->rank(), bf16 ? at::kBFloat16 : at::kFloat};
  const std::size_t total = weight_specs(config).size();
  std::size_t done = 0;
  const WeightLookup lookup = [&](const WeightSpec& spec) {
    if (options.progress) options.progress(static_cast<double>(done++) / static_cast<double>(total));
    return read(spec);
  };
  const int ranks = communicator->size();
  const RunnerInfo info{.name = config.name,
                        .device = ranks == 1 ? "cpu" : fmt::format("cpu, {} ranks", ranks),
                        .dtype = bf16 ? "bf16" : "fp32",
                        .vocabulary = static_cast<std::size_t>(config.vocabulary),
                        .max_positions = static_cast<std::size_t>(config.max_positions),
                        .parameters = config.parameters()};
  const int threads = decide_threads(options.threads, info.parameters, ranks);
  const auto make = [&]<class Runner, class Model>(std::type_identity<Runner>,
                                                   Expected<Model> model) -> Expected<std::unique_ptr<ModelRunner>> {
    if (!model) return make_error("{}: {}", options.directory, model.error().message);
    return std::unique_ptr<ModelRunner>(
        std::make_unique<Runner>(config, *std::move(model), communicator, info, read.dtype, threads));
  };
  if (config.encoder) {
    return make(std::type_identity<EncoderDecoderRunner>(), EncoderDecoder::bind(config, lookup, *communicator));
  }
  return make(std::type_identity<TorchRunner>(), Transformer::bind(config, lookup, *communicator));
}

}  // namespace weft::model
