#include "adapters/lora/peft.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <span>

#include "adapters/data/sha256.h"
#include "adapters/lora/lora_config.h"
#include "model/base/atomic_file.h"
#include "model/weights/checkpoint.h"
#include "model/weights/safetensors.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using model::Dtype;
using model::SafetensorsFile;
using model::TensorView;

constexpr const char* kConfigFile = "adapter_config.json";
constexpr const char* kTensorFile = "adapter_model.safetensors";

std::string tensor_name(const std::string& module, char factor) {
  return fmt::format("base_model.model.{}.lora_{}.weight", module, factor);
}

Expected<std::string> read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in.good() && !in.eof()) return make_error("{}: cannot be read", path.string());
  if (text.empty()) return make_error("{}: not there, or empty", path.string());
  return text;
}

Expected<std::vector<float>> read_factor(const SafetensorsFile& file, const std::string& name,
                                         const std::vector<std::int64_t>& shape) {
  const auto view = file.find(name);
  if (!view) return view.error();
  if (view->shape != shape) {
    return make_error("shape mismatch for {}: expected [{}], file has [{}]", name, fmt::join(shape, ", "),
                      fmt::join(view->shape, ", "));
  }
  std::vector<float> out(static_cast<std::size_t>(shape[0] * shape[1]));
  if (auto read = model::read_rows(*view, 0, shape[0], out.data()); !read) {
    return make_error("{} {}", name, read.error().message);
  }
  for (const float value : out) {
    if (!std::isfinite(value)) return make_error("{} holds a value that is not finite", name);
  }
  return out;
}

Expected<model::LoraDelta> read_delta(const SafetensorsFile& file, const ModuleRank& module) {
  const model::AdaptableLinear& linear = module.linear;
  auto a = read_factor(file, tensor_name(linear.module, 'A'), {module.rank, linear.in});
  if (!a) return a.error();
  auto b = read_factor(file, tensor_name(linear.module, 'B'), {linear.out, module.rank});
  if (!b) return b.error();
  return model::LoraDelta{linear.module,  module.rank,   linear.in,    linear.out,
                          module.scaling, *std::move(a), *std::move(b)};
}

// What the file holds beyond the two factors of each module.
Expected<void> check_no_others(const SafetensorsFile& file, const std::vector<ModuleRank>& modules) {
  std::set<std::string> known;
  for (const ModuleRank& module : modules) {
    known.insert(tensor_name(module.linear.module, 'A'));
    known.insert(tensor_name(module.linear.module, 'B'));
  }
  for (const std::string& name : file.names()) {
    if (!known.contains(name)) return make_error("{} is no factor of a linear that target_modules selects", name);
  }
  return {};
}

Expected<AdapterFiles> read_files(const fs::path& folder, const model::ModelConfig& base,
                                  const std::string& base_sha256) {
  const auto text = read_text(folder / kConfigFile);
  if (!text) return text.error();
  auto config = parse_lora_config(*text, base);
  if (!config) return make_error("{}: {}", (folder / kConfigFile).string(), config.error().message);
  AdapterFiles out;
  out.info = std::move(config->info);
  // Before the tensors: of another base their shapes are mostly wrong too, and say less.
  if (!out.info.base_sha256.empty() && !base_sha256.empty() && out.info.base_sha256 != base_sha256) {
    return make_error("{}: trained on {} (sha256 {:.12}…), not on {} (sha256 {:.12}…)", folder.string(),
                      out.info.base_name, out.info.base_sha256, base.name, base_sha256);
  }
  const auto file = SafetensorsFile::open((folder / kTensorFile).string());
  if (!file) return file.error();
  const auto of_file = [&](const Error& error) {
    return make_error("{}: {}", (folder / kTensorFile).string(), error.message);
  };
  if (auto checked = check_no_others(**file, config->modules); !checked) return of_file(checked.error());
  for (const ModuleRank& module : config->modules) {
    auto delta = read_delta(**file, module);
    if (!delta) return of_file(delta.error());
    out.adapter.deltas.push_back(*std::move(delta));
  }
  return out;
}

model::NamedTensorView view_of(const model::LoraDelta& delta, char factor) {
  const std::vector<float>& values = factor == 'A' ? delta.a : delta.b;
  std::vector<std::int64_t> shape{delta.rank, delta.in};
  if (factor == 'B') shape = {delta.out, delta.rank};
  return {tensor_name(delta.module, factor), {Dtype::kF32, std::move(shape), std::as_bytes(std::span(values))}};
}

std::string folder_name(const std::string& directory) {
  const fs::path path = fs::absolute(directory).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

}  // namespace

Expected<AdapterFiles> read_adapter(const std::string& directory, const model::ModelConfig& base,
                                    const std::string& base_sha256) {
  auto files = read_files(directory, base, base_sha256);
  if (!files) return files.error();
  files->info.name = files->adapter.name = folder_name(directory);
  return files;
}

Expected<void> write_adapter(const std::string& directory, const AdapterFiles& files) {
  if (files.adapter.deltas.empty()) return make_error("{}: an adapter without a single delta", directory);
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) return make_error("{}: {}", directory, failed.message());
  std::vector<model::NamedTensorView> views;
  for (const model::LoraDelta& delta : files.adapter.deltas) {
    for (const char factor : {'A', 'B'}) views.push_back(view_of(delta, factor));
  }
  std::ranges::sort(views, {}, &model::NamedTensorView::name);  // PEFT's order
  const fs::path folder(directory);
  if (auto written = write_safetensors((folder / kTensorFile).string(), views, {{"format", "pt"}}); !written) {
    return written.error();
  }
  return write_file_atomically((folder / kConfigFile).string(), to_json(files));
}

Expected<std::string> base_hash(const std::string& model_directory) {
  const auto checkpoint = model::Checkpoint::open(model_directory);
  if (!checkpoint) return checkpoint.error();
  std::string lines;
  for (const std::string& name : checkpoint->names()) {
    const auto view = checkpoint->find(name);
    if (!view) return view.error();
    const std::string_view bytes(reinterpret_cast<const char*>(view->data.data()), view->data.size());
    lines +=
        fmt::format("{} {} [{}] {}\n", name, dtype_name(view->dtype), fmt::join(view->shape, ","), sha256_hex(bytes));
  }
  return sha256_hex(lines);
}

}  // namespace weft::adapters
