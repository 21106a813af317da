#include "model/load_runner.h"

#include <algorithm>
#include <array>
#include <optional>
#include <thread>

#include "model/backend.h"
#include "model/base/memory.h"
#include "model/config/shard_plan.h"
#include "model/encoder_decoder_runner.h"
#include "model/torch_runner.h"
#include "model/weight_reader.h"
#include "model/weights/checkpoint.h"
#include "model/weights/find_quantized.h"

namespace weft::model {
namespace {

constexpr std::size_t kBlockTokens = 32;  // of KV: little is copied where sequences part inside a block
// How much KV is kept by default: of so many prompts of full length, within a share of the memory that there is.
constexpr std::size_t kFullPrompts = 6;
constexpr std::size_t kShareOfMemory = 8;
constexpr std::size_t kMostKvBytes = std::size_t{2} << 30;

// Below this, a second thread waits for the first longer than it helps, and far longer on a busy machine.
constexpr std::size_t kSmallModelParameters = 50'000'000;

struct Loading {
  const ModelConfig& config;
  const LoadOptions& options;
  const Checkpoint& checkpoint;
  const ShardPlan& plan;
  std::shared_ptr<Communicator> communicator;

  [[nodiscard]] Rank rank() const { return communicator->rank(); }
  [[nodiscard]] RunnerInfo info(std::string_view dtype) const {
    const int ranks = communicator->size();
    return {.name = config.name,
            .device = ranks == 1 ? "cpu" : fmt::format("cpu, {} ranks", ranks),
            .dtype = std::string(dtype),
            .vocabulary = static_cast<std::size_t>(config.vocabulary),
            .max_positions = static_cast<std::size_t>(config.max_positions),
            .parameters = config.parameters()};
  }
  // Of the pool; at least one sequence of full length always fits.
  [[nodiscard]] std::size_t kv_blocks(std::size_t bytes_per_token) const {
    const auto positions = static_cast<std::size_t>(config.max_positions);
    const std::size_t block_bytes = bytes_per_token * kBlockTokens;
    std::size_t limit = options.kv_limit_bytes;
    if (limit == 0) {
      const std::size_t available = read_memory().available_bytes;
      limit = std::min({kFullPrompts * positions * bytes_per_token, available / kShareOfMemory, kMostKvBytes});
    }
    return std::max(limit / block_bytes, positions / kBlockTokens + 2);
  }
  [[nodiscard]] int threads() const {
    return decide_threads(options.threads, config.parameters(), communicator->size());
  }
};

constexpr std::array<std::string_view, 4> kFormatNames{"fp32", "bf16", "int8", "int4"};  // of WeightFormat

std::optional<WeightFormat> requested_format(DType dtype) {
  switch (dtype) {
    case DType::kAuto:
      return std::nullopt;
    case DType::kFloat32:
      return WeightFormat::kFloat32;
    case DType::kBFloat16:
      return WeightFormat::kBFloat16;
    case DType::kInt8:
      return WeightFormat::kInt8;
    case DType::kInt4:
      return WeightFormat::kInt4;
  }
  return std::nullopt;
}

// How each matrix of a decoder is held: as asked, or as stored, where one that several weights share takes the finest
// of theirs. The head of a quantised model is int8, whatever it is stored as: it is a good part of what a token reads.
class Formats {
 public:
  static Expected<Formats> decide(const Loading& loading) {
    Formats out(loading);
    const std::vector<WeightSpec> specs = weight_specs(loading.config);
    const auto linear = std::ranges::find_if(specs, [](const WeightSpec& spec) { return spec.adaptable; });
    if (linear == specs.end()) return out;
    const auto body = out.of_body({&*linear, 1});
    if (!body) return body.error();
    out.body_ = body->format;
    return out;
  }

  [[nodiscard]] WeightFormat body() const { return body_; }

  [[nodiscard]] Expected<MatrixFormat> of(std::span<const WeightSpec> parts) const {
    const bool head = parts.front().packed_as == kHead;
    return head && is_quantized(body_) ? MatrixFormat{WeightFormat::kInt8, 0} : of_body(parts);
  }

 private:
  explicit Formats(const Loading& loading) : loading_(&loading) {}

  [[nodiscard]] Expected<MatrixFormat> of_body(std::span<const WeightSpec> parts) const {
    std::optional<MatrixFormat> finest;
    for (const WeightSpec& part : parts) {
      const auto stored = stored_format(loading_->checkpoint, part);
      if (!stored) return stored.error();
      if (!finest || stored->format < finest->format) finest = *stored;
    }
    if (const auto asked = requested_format(loading_->options.dtype); asked && *asked != finest->format) {
      return MatrixFormat{*asked, *asked == WeightFormat::kInt4 ? QuantizedFormat{}.group : 0};
    }
    return *finest;
  }

  const Loading* loading_;
  WeightFormat body_ = WeightFormat::kFloat32;
};

Expected<std::unique_ptr<ModelRunner>> load_decoder(const Loading& loading) {
  const auto cpu = serving_cpu(loading.threads());
  if (!cpu) return cpu.error();
  const auto formats = Formats::decide(loading);
  if (!formats) return formats.error();
  const double total = static_cast<double>(weight_specs(loading.config).size());
  double done = 0;
  std::size_t weight_bytes = 0;
  const auto report = [&](std::size_t weights) {
    done += static_cast<double>(weights);
    if (loading.options.progress) loading.options.progress(done / total);
  };
  const Packing packing{.pack = [&](std::span<const WeightSpec> parts) -> Expected<PackedMatrix> {
                          const auto format = formats->of(parts);
                          if (!format) return format.error();
                          report(parts.size());
                          auto packed = pack_weights(loading.checkpoint, parts, loading.plan, loading.rank(), *format,
                                                     *(*cpu)->workers);
                          if (packed) weight_bytes += packed->bytes();
                          return packed;
                        },
                        .cpu = *cpu};
  const WeightLookup lookup = [&](const WeightSpec& spec) {
    report(1);
    // An embedding of its own is the one tensor that is large; its rows are widened as they are looked up.
    const bool large = spec.shard == Shard::kRows && spec.shape.size() == 2;
    const bool narrow = large && formats->body() != WeightFormat::kFloat32;
    return read_weight(loading.checkpoint, spec, loading.plan.slice(spec.shard, spec.shape, loading.rank()),
                       narrow ? at::kBFloat16 : at::kFloat);
  };
  auto transformer = Transformer::bind(loading.config, lookup, *loading.communicator, &packing);
  if (!transformer) return transformer.error();
  const bool exact = formats->body() == WeightFormat::kFloat32;
  RunnerInfo info = loading.info(kFormatNames[static_cast<std::size_t>(formats->body())]);
  info.weight_bytes = weight_bytes;
  info.kv_bytes_per_token = static_cast<std::size_t>(2 * loading.config.layers * loading.plan.local_kv_heads() *
                                                     loading.config.head_dim * (exact ? 4 : 2));
  info.kv_block_tokens = kBlockTokens;
  return std::unique_ptr<ModelRunner>(
      std::make_unique<TorchRunner>(loading.config, *std::move(transformer), loading.communicator, info,
                                    TorchRunner::Options{.cpu = **cpu,
                                                         .kv = exact ? KvFormat::kFloat32 : KvFormat::kBFloat16,
                                                         .kv_blocks = loading.kv_blocks(info.kv_bytes_per_token)}));
}

Expected<std::unique_ptr<ModelRunner>> load_encoder_decoder(const Loading& loading) {
  const DType asked = loading.options.dtype;
  if (asked == DType::kInt8 || asked == DType::kInt4) {
    return Error{"int8 and int4 weights are for decoders alone; this is an encoder-decoder"};
  }
  const bool bf16 = asked == DType::kBFloat16 || (asked == DType::kAuto && multiplies_bf16());
  const at::ScalarType dtype = bf16 ? at::kBFloat16 : at::kFloat;
  const WeightLookup lookup = [&](const WeightSpec& spec) {
    return read_weight(loading.checkpoint, spec, loading.plan.slice(spec.shard, spec.shape, loading.rank()), dtype);
  };
  auto model = EncoderDecoder::bind(loading.config, lookup, *loading.communicator);
  if (!model) return model.error();
  return std::unique_ptr<ModelRunner>(
      std::make_unique<EncoderDecoderRunner>(loading.config, *std::move(model), loading.communicator,
                                             loading.info(bf16 ? "bf16" : "fp32"), dtype, loading.threads()));
}

}  // namespace

static_assert(kMaxTensorParallel == kMaxRanks);

int decide_threads(int requested, std::size_t parameters, int ranks) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int all = requested > 0 ? requested : parameters < kSmallModelParameters ? 1 : cores;
  return std::max(1, all / ranks);
}

Expected<std::unique_ptr<ModelRunner>> load_runner(const ModelConfig& config, const LoadOptions& options,
                                                   std::shared_ptr<Communicator> communicator) {
  Expected<Checkpoint> checkpoint = Checkpoint::open(options.directory);
  if (!checkpoint) return checkpoint.error();
  const auto plan = ShardPlan::make(communicator->size(), sharded_sizes(config));
  if (!plan) return make_error("{}: {}", options.directory, plan.error().message);
  const Loading loading{config, options, *checkpoint, *plan, std::move(communicator)};
  auto runner = config.encoder ? load_encoder_decoder(loading) : load_decoder(loading);
  if (!runner) return make_error("{}: {}", options.directory, runner.error().message);
  return runner;
}

}  // namespace weft::model
