#include "model/inspect.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "model/config/model_config.h"
#include "model/config/weight_specs.h"
#include "model/model_files.h"
#include "model/weight_reader.h"
#include "model/weights/find_quantized.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBf16Bytes = 2;

std::uint64_t values_of(const std::vector<std::int64_t>& shape) {
  std::uint64_t values = 1;
  for (const std::int64_t side : shape) values *= static_cast<std::uint64_t>(side);
  return values;
}

void add_config(const ModelConfig& config, ModelReport& report) {
  report.name = config.name;
  report.family = config.architecture->name;
  report.layers = config.layers;
  report.hidden = config.hidden;
  report.heads = config.heads;
  report.kv_heads = config.kv_heads;
  report.head_dim = config.head_dim;
  report.vocabulary = config.vocabulary;
  report.context = config.max_positions;
  const auto size = [](int value) { return static_cast<std::uint64_t>(value); };
  report.kv_bytes_per_token = 2 * size(config.layers) * size(config.kv_heads) * size(config.head_dim) * kBf16Bytes;
}

// As the loader holds them: linears as asked, a head that quantised models keep in int8, all else in bf16 at the least.
void add_memory(const WeightSpec& spec, ModelReport& report) {
  constexpr std::uint64_t kHalfBytes = 2;
  const std::uint64_t values = values_of(spec.shape);
  MemoryNeeds& memory = report.memory;
  report.parameters += values;
  memory.fp32 += values * sizeof(float);
  memory.bf16 += values * kBf16Bytes;
  if (spec.packed_as.empty()) {
    memory.int8 += values * kBf16Bytes;
    memory.int4 += values * kBf16Bytes;
    return;
  }
  const auto group = static_cast<std::uint64_t>(QuantizedFormat{}.group);
  const std::uint64_t int8 = values + static_cast<std::uint64_t>(spec.shape[0]) * sizeof(float);
  memory.int8 += int8;
  memory.int4 += spec.packed_as == kHead ? int8 : values / 2 + values / group * kHalfBytes;
}

// The shape that the file should have for a spec's tensor. weft's own quantised linears are [out, in] in every family.
std::vector<std::int64_t> expected_shape(const WeightSpec& spec, const TensorView& view) {
  if (view.dtype == Dtype::kI8) return {spec.rows, spec.shape[1]};
  if (view.dtype == Dtype::kU8) return {spec.rows, spec.shape[1] / 2};
  return spec.stored_shape();
}

void compare_tensors(const Checkpoint& checkpoint, const ModelConfig& config, ModelReport& report) {
  std::vector<std::string> names = checkpoint.names();
  std::set<std::string> seen;  // parts of a fused tensor come one after the other
  for (const WeightSpec& spec : weight_specs(config)) {
    add_memory(spec, report);
    if (!seen.insert(spec.tensor).second) continue;
    const auto name = stored_name(checkpoint, spec.tensor);
    if (!name) {
      report.missing.push_back(spec.tensor);
      continue;
    }
    std::erase(names, *name);
    std::erase(names, scale_name(*name));
    const auto view = checkpoint.find(*name);
    const bool quantized = checkpoint.is_quantized(*name);
    const auto expected = quantized && spec.shape.size() == 2 ? expected_shape(spec, *view) : spec.stored_shape();
    if (view->shape != expected) {
      report.misshapen.push_back(
          fmt::format("{} is [{}], expected [{}]", *name, fmt::join(view->shape, ", "), fmt::join(expected, ", ")));
    } else if (!traits(view->dtype).is_number && !quantized) {
      report.misshapen.push_back(fmt::format("{} is of dtype {}, not one of weights", *name, dtype_name(view->dtype)));
    }
  }
  report.unused = std::move(names);
}

void add_dtypes(const Checkpoint& checkpoint, const nlohmann::json& config, ModelReport& report) {
  for (const std::string& name : checkpoint.names()) {
    const auto view = checkpoint.find(name);
    report.dtypes[std::string(dtype_name(view->dtype))] += view->data.size();
  }
  const auto most = std::ranges::max_element(report.dtypes, {}, [](const auto& entry) { return entry.second; });
  report.quantization = "none";
  if (checkpoint.gguf() != nullptr && most != report.dtypes.end()) {
    const auto dtype = find_dtype(most->first);
    if (dtype && traits(*dtype).block_values > 1) report.quantization = most->first;
  }
  const auto own = config.find("weft_quantization");
  if (own == config.end() || !own->is_object()) return;
  report.quantization = fmt::format("int{}", own->value("bits", nlohmann::json(8)).dump());
  if (const auto group = own->find("group_size"); group != own->end()) {
    report.quantization += fmt::format(", groups of {}", group->dump());
  }
}

// NaN and infinity by tensor.
Expected<std::vector<NotFinite>> check_values(const Checkpoint& checkpoint, const InspectOptions& options,
                                              std::uint64_t all_bytes) {
  constexpr std::int64_t kValues = std::int64_t{1} << 20;
  std::vector<NotFinite> out;
  std::vector<float> strip;
  std::uint64_t done = 0;
  for (const std::string& name : checkpoint.names()) {
    const auto view = checkpoint.find(name);
    done += view->data.size();
    if (!traits(view->dtype).is_number || view->data.empty()) continue;
    const TensorSlice all = whole(*view);
    const std::int64_t rows = std::max(std::int64_t{1}, kValues / std::max(std::int64_t{1}, all.columns));
    NotFinite found{name, 0, 0};
    for (std::int64_t row = 0; row < all.rows; row += rows) {
      const std::int64_t count = std::min(rows, all.rows - row);
      strip.resize(static_cast<std::size_t>(count * all.columns));
      if (auto read = read_rows(*view, row, count, strip.data()); !read) return read.error();
      for (const float value : strip) {
        found.nan += std::isnan(value) ? 1 : 0;
        found.infinite += std::isinf(value) ? 1 : 0;
      }
    }
    if (found.nan + found.infinite > 0) out.push_back(std::move(found));
    if (options.progress && all_bytes > 0) {
      options.progress(static_cast<double>(done) / static_cast<double>(all_bytes));
    }
  }
  return out;
}

std::string first_of(const std::vector<std::string>& list) {
  return list.size() == 1 ? list.front() : fmt::format("{} and {} more", list.front(), list.size() - 1);
}

// Fills the report as far as it goes. Error: why the model cannot be loaded.
Expected<void> fill(const std::string& path, const InspectOptions& options, ModelReport& report) {
  const auto checkpoint = Checkpoint::open(path);
  if (!checkpoint) return checkpoint.error();
  report.format = checkpoint->gguf() != nullptr ? "GGUF" : "safetensors";
  report.files = checkpoint->files();
  for (const CheckpointFile& file : report.files) report.bytes += file.bytes;
  const auto text = checkpoint->config_json();
  add_dtypes(*checkpoint, nlohmann::json::parse(text ? *text : "{}", nullptr, /*allow_exceptions=*/false), report);
  if (options.check_values) {
    auto found = check_values(*checkpoint, options, report.bytes);
    if (!found) return found.error();
    report.not_finite = *std::move(found);
  }
  if (!text) return text.error();
  std::error_code ignored;
  const fs::path folder = fs::weakly_canonical(path, ignored);
  auto config = parse_model_config(*text, folder.filename().string());
  if (!config) return config.error();
  add_config(*config, report);
  compare_tensors(*checkpoint, *config, report);

  const auto tokenizer = read_tokenizer(path, checkpoint->gguf());
  if (tokenizer) {
    report.tokenizer = tokenizer->kind;
    report.tokens = tokenizer->tokenizer->vocabulary();
    add_fim_format(*config, *tokenizer->tokenizer);
    if (config->fim.available()) report.fim = {config->fim.prefix, config->fim.suffix, config->fim.middle};
  }
  if (!report.missing.empty()) return make_error("missing: {}", first_of(report.missing));
  if (!report.misshapen.empty()) return make_error("not as config.json says: {}", first_of(report.misshapen));
  if (!tokenizer) return tokenizer.error();
  if (report.tokens > static_cast<std::size_t>(report.vocabulary)) {
    return make_error("the tokenizer has {} tokens, config.json a vocabulary of {}", report.tokens, report.vocabulary);
  }
  return {};
}

}  // namespace

ModelReport inspect(const std::string& path, const InspectOptions& options) {
  ModelReport report;
  report.path = path;
  if (auto filled = fill(path, options, report); !filled) report.refusal = filled.error().message;
  return report;
}

}  // namespace weft::model
