#include "model/weights/quantize_checkpoint.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "model/base/atomic_file.h"
#include "model/weights/checkpoint.h"
#include "model/weights/safetensors.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Of GPT-2, whose linears are [in, out].
constexpr std::array<std::string_view, 3> kTransposed{".c_attn.weight", ".c_proj.weight", ".c_fc.weight"};
// What a model is beside its weights and config.json.
constexpr std::array<std::string_view, 16> kCopied{"tokenizer.json",
                                                   "tokenizer_config.json",
                                                   "tokenizer.model",
                                                   "spiece.model",
                                                   "special_tokens_map.json",
                                                   "added_tokens.json",
                                                   "vocab.json",
                                                   "merges.txt",
                                                   "generation_config.json",
                                                   "tekken.json",
                                                   "chat_template.jinja",
                                                   "memory.json",
                                                   "confidence.json",
                                                   "LICENSE",
                                                   "NOTICE",
                                                   "README.md"};

// Goes with what is in it unless it has become the real one.
class TemporaryFolder {
 public:
  static Expected<TemporaryFolder> beside(const std::string& path) {
    std::string name = fs::path(path).lexically_normal().string();
    while (name.ends_with('/')) name.pop_back();
    name += ".XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) return make_error("cannot make {}: {}", name, std::strerror(errno));
    return TemporaryFolder(name);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(std::string_view name) const { return (fs::path(path_) / name).string(); }
  Expected<void> become(const std::string& path) {
    constexpr auto kMode = fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec |
                           fs::perms::others_read | fs::perms::others_exec;  // mkdtemp makes it the owner's alone
    std::error_code failed;
    fs::permissions(path_, kMode, failed);
    // The rename replaces no folder but an empty one.
    if (!failed) fs::rename(path_, path, failed);
    if (failed) return make_error("cannot make {}: {}", path, failed.message());
    path_.clear();
    return {};
  }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// What becomes of a tensor.
struct Work {
  std::string name;
  TensorView view;                      // of a linear: [out, in]
  std::optional<QuantizedFormat> into;  // none: it stays a tensor of `dtype`
  Dtype dtype = Dtype::kBf16;
};

Work work_of(const std::string& name, TensorView view, const QuantizedFormat& format, bool gpt2) {
  Work out{name, std::move(view), std::nullopt, Dtype::kBf16};
  const bool matrix = out.view.shape.size() == 2 && !out.view.data.empty() && traits(out.view.dtype).is_number;
  out.dtype = matrix && out.view.dtype == Dtype::kF32 ? Dtype::kBf16 : out.view.dtype;
  if (!matrix || !is_linear_weight(name, out.view.shape)) return out;
  const bool turn =
      gpt2 && std::ranges::any_of(kTransposed, [&](std::string_view ending) { return name.ends_with(ending); });
  TensorView linear = turn ? transpose(out.view) : out.view;
  if (linear.shape[1] % 2 != 0) return out;  // find_quantized.h
  out.view = std::move(linear);
  out.into = is_head_weight(name) ? QuantizedFormat{WeightFormat::kInt8, 0} : format;
  return out;
}

std::vector<SafetensorsStream::Plan> plan_of(const std::vector<Work>& works) {
  std::vector<SafetensorsStream::Plan> plan;
  for (const Work& work : works) {
    if (!work.into) {
      plan.push_back({work.name, work.dtype, work.view.shape});
      continue;
    }
    const std::int64_t out = work.view.shape[0], in = work.view.shape[1];
    if (work.into->format == WeightFormat::kInt8) {
      plan.push_back({work.name, Dtype::kI8, {out, in}});
      plan.push_back({scale_name(work.name), Dtype::kF32, {out}});
    } else {
      const std::int64_t groups = (in + work.into->group - 1) / work.into->group;
      plan.push_back({work.name, Dtype::kU8, {out, in / 2}});
      plan.push_back({scale_name(work.name), Dtype::kF16, {out, groups}});
    }
  }
  return plan;
}

std::uint64_t bytes_of(const std::vector<SafetensorsStream::Plan>& plan) {
  std::uint64_t bytes = 0;
  for (const auto& [name, dtype, shape] : plan) bytes += byte_count(dtype, shape).value_or(0);
  return bytes;
}

// Strips of rows, which threads take as they come.
Expected<std::vector<QuantizedMatrix>> quantize_strips(const Work& work, int threads, const CancelFlag& cancel) {
  constexpr std::int64_t kRows = 256;
  const std::int64_t rows = work.view.shape[0];
  std::vector<Expected<QuantizedMatrix>> strips(static_cast<std::size_t>((rows + kRows - 1) / kRows),
                                                Expected<QuantizedMatrix>(Error{"interrupted"}));
  std::atomic<std::size_t> next = 0;
  const auto run = [&] {
    for (std::size_t i = next++; i < strips.size() && !cancel.cancelled(); i = next++) {
      const std::int64_t first = static_cast<std::int64_t>(i) * kRows;
      strips[i] = quantize(work.view, *work.into, {first, std::min(kRows, rows - first), 0, work.view.shape[1]});
    }
  };
  {
    std::vector<std::jthread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(run);
    run();
  }
  std::vector<QuantizedMatrix> out;
  for (auto& strip : strips) {
    if (!strip) return strip.error();
    out.push_back(*std::move(strip));
  }
  return out;
}

template <class T>
Expected<void> append(SafetensorsStream& stream, const std::vector<T>& values) {
  return stream.append(std::as_bytes(std::span(values)));
}

Expected<void> write_quantized(SafetensorsStream& stream, const Work& work, int threads, const CancelFlag& cancel) {
  const auto strips = quantize_strips(work, threads, cancel);
  if (!strips) return strips.error();
  for (const QuantizedMatrix& strip : *strips) {
    if (auto written = append(stream, strip.values); !written) return written;
  }
  for (const QuantizedMatrix& strip : *strips) {
    std::vector<Half> halves(strip.format == WeightFormat::kInt4 ? strip.scales.size() : 0);
    std::transform(strip.scales.begin(), strip.scales.begin() + static_cast<std::ptrdiff_t>(halves.size()),
                   halves.begin(), to_half);
    const auto written = halves.empty() ? append(stream, strip.scales) : append(stream, halves);
    if (!written) return written;
  }
  return {};
}

Expected<void> write_kept(SafetensorsStream& stream, const Work& work) {
  if (work.dtype == work.view.dtype) return stream.append(work.view.data);
  const TensorSlice all = whole(work.view);
  constexpr std::int64_t kValues = std::int64_t{1} << 20;
  const std::int64_t rows = std::max(std::int64_t{1}, kValues / std::max(std::int64_t{1}, all.columns));
  std::vector<Bf16> strip;
  for (std::int64_t row = 0; row < all.rows; row += rows) {
    const std::int64_t count = std::min(rows, all.rows - row);
    strip.resize(static_cast<std::size_t>(count * all.columns));
    if (auto read = read_rows(work.view, row, count, strip.data()); !read) return read;
    if (auto written = append(stream, strip); !written) return written;
  }
  return {};
}

Expected<void> copy_files(const std::string& from, const TemporaryFolder& to) {
  for (const std::string_view name : kCopied) {
    std::error_code failed;
    const fs::path source = fs::path(from) / name;
    if (!fs::is_regular_file(source, failed)) continue;
    fs::copy_file(source, to.file(name), failed);
    if (failed) return make_error("cannot copy {}: {}", source.string(), failed.message());
  }
  return {};
}

Expected<Json> read_config(const Checkpoint& checkpoint, const std::string& from) {
  const auto text = checkpoint.config_json();
  if (!text) return text.error();
  Json config = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) return make_error("{}: config.json is not a JSON object", from);
  for (const char* field : {"quantization_config", "weft_quantization"}) {
    if (config.contains(field)) return make_error("{} is quantised already: config.json has {}", from, field);
  }
  return config;
}

bool is_gpt2(const Json& config) {
  const auto names = config.find("architectures");
  return names != config.end() && names->is_array() && !names->empty() && names->front() == "GPT2LMHeadModel";
}

Expected<void> check_room(const std::string& to, std::uint64_t bytes) {
  std::error_code failed;
  const fs::path parent = fs::absolute(to, failed).lexically_normal().parent_path();
  const fs::space_info space = fs::space(parent, failed);
  constexpr std::uint64_t kBeside = std::uint64_t{64} << 20;  // tokenizer and the like
  if (failed || space.available >= bytes + kBeside) return {};
  return make_error("{} has {} MiB left, {} MiB are needed", parent.string(), space.available >> 20U,
                    (bytes + kBeside) >> 20U);
}

Expected<void> write_tensors(const std::string& file, const std::vector<Work>& works, const QuantizeOptions& options,
                             const QuantizeProgress& progress, const CancelFlag& cancel) {
  auto stream = SafetensorsStream::create(file, plan_of(works), {{"format", "pt"}});
  if (!stream) return stream.error();
  std::uint64_t all = 1, done = 0;
  for (const Work& work : works) all += work.view.data.size();
  for (const Work& work : works) {
    if (cancel.cancelled()) return Error{"interrupted"};
    if (progress) progress(static_cast<double>(done) / static_cast<double>(all), work.name);
    const auto written =
        work.into ? write_quantized(*stream, work, options.threads, cancel) : write_kept(*stream, work);
    if (!written) return make_error("{}: {}", work.name, written.error().message);
    done += work.view.data.size();
  }
  return stream->finish();
}

}  // namespace

Expected<QuantizeReport> quantize_checkpoint(const QuantizeOptions& options, const QuantizeProgress& progress,
                                             const CancelFlag& cancel) {
  std::error_code failed;
  if (fs::exists(fs::symlink_status(options.to, failed))) return make_error("{} is there already", options.to);
  const auto checkpoint = Checkpoint::open(options.from);
  if (!checkpoint) return checkpoint.error();
  if (checkpoint->gguf() != nullptr) {
    return make_error("{} is a GGUF file, which weft runs as it is; quantise the safetensors that it was made from",
                      options.from);
  }
  auto config = read_config(*checkpoint, options.from);
  if (!config) return config.error();

  std::vector<Work> works;
  QuantizeReport report;
  for (const std::string& name : checkpoint->names()) {
    auto view = checkpoint->find(name);
    if (!view) return view.error();
    report.bytes_before += view->data.size();
    works.push_back(work_of(name, *std::move(view), options.format, is_gpt2(*config)));
    ++(works.back().into ? report.quantized : report.kept);
  }
  if (report.quantized == 0) return make_error("{} has no linears to quantise", options.from);
  report.bytes_after = bytes_of(plan_of(works));
  if (auto room = check_room(options.to, report.bytes_after); !room) return room.error();

  auto folder = TemporaryFolder::beside(options.to);
  if (!folder) return folder.error();
  if (auto copied = copy_files(options.from, *folder); !copied) return copied.error();
  const bool int8 = options.format.format == WeightFormat::kInt8;
  (*config)["weft_quantization"] = {{"bits", int8 ? 8 : 4}};
  if (!int8) (*config)["weft_quantization"]["group_size"] = options.format.group;
  const std::string text = config->dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (auto written = write_file_atomically(folder->file("config.json"), text); !written) return written.error();
  if (auto written = write_tensors(folder->file("model.safetensors"), works, options, progress, cancel); !written) {
    return written.error();
  }
  if (auto made = folder->become(options.to); !made) return made.error();
  if (progress) progress(1, "");
  return report;
}

}  // namespace weft::model
