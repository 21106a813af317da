#include "model/weights/checkpoint.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "model/base/mmap.h"
#include "model/weights/gguf_names.h"
#include "model/weights/safetensors.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSingle = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";

std::string in_folder(const std::string& directory, std::string_view name) {
  return (fs::path(directory) / name).string();
}

// weight_map: tensor name to shard. A shard is a file of this folder, nowhere else.
Expected<std::map<std::string, std::string>> read_index(const std::string& path) {
  const Expected<MappedFile> file = MappedFile::open(path);
  if (!file) return file.error();
  const char* begin = reinterpret_cast<const char*>(file->bytes().data());
  const auto index = nlohmann::json::parse(begin, begin + file->bytes().size(), nullptr, /*allow_exceptions=*/false);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    return make_error("{} has no weight_map", path);
  }
  std::map<std::string, std::string> out;
  for (const auto& [tensor, shard] : index["weight_map"].items()) {
    const std::string name = shard.is_string() ? shard.get<std::string>() : "";
    if (name.empty() || fs::path(name).filename() != name || name == "..") {
      return make_error("{}: tensor '{}' lies in {}, expected a file of the same folder", path, tensor, shard.dump());
    }
    out.emplace(tensor, name);
  }
  return out;
}

}  // namespace

Expected<Checkpoint> Checkpoint::open(const std::string& path) {
  std::error_code ignored;
  const bool has_safetensors =
      fs::exists(in_folder(path, kSingle), ignored) || fs::exists(in_folder(path, kIndex), ignored);
  return has_safetensors ? open_safetensors(path) : open_gguf(path);
}

Expected<Checkpoint> Checkpoint::open_safetensors(const std::string& directory) {
  Checkpoint checkpoint;
  checkpoint.path_ = directory;
  std::error_code ignored;
  const auto add = [&](const std::string& name) -> Expected<std::shared_ptr<const SafetensorsFile>> {
    auto file = SafetensorsFile::open(in_folder(directory, name));
    if (!file) return file;
    checkpoint.metadata_.insert((*file)->metadata().begin(), (*file)->metadata().end());
    checkpoint.files_.push_back({in_folder(directory, name), (*file)->bytes()});
    checkpoint.mappings_.push_back(*file);
    return file;
  };
  if (fs::exists(in_folder(directory, kSingle), ignored)) {
    const auto file = add(std::string(kSingle));
    if (!file) return file.error();
    checkpoint.tensors_ = (*file)->tensors();
    return checkpoint;
  }
  const std::string index_path = in_folder(directory, kIndex);
  const auto index = read_index(index_path);
  if (!index) return index.error();
  std::map<std::string, std::shared_ptr<const SafetensorsFile>> shards;
  for (const auto& [tensor, shard] : *index) {
    auto& file = shards[shard];
    if (!file) {
      auto opened = add(shard);
      if (!opened) return opened.error();
      file = *std::move(opened);
    }
    const auto found = file->find(tensor);
    if (!found) return make_error("{} names a tensor that its shard lacks: {}", index_path, found.error().message);
    checkpoint.tensors_.emplace(tensor, *found);
  }
  return checkpoint;
}

Expected<TensorView> Checkpoint::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    return make_error("the checkpoint in {} has no tensor '{}' ({} others)", path_, name, tensors_.size());
  }
  return found->second;
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> out;
  for (const auto& [name, view] : tensors_) out.push_back(name);
  return out;
}

Expected<std::string> Checkpoint::config_json() const {
  if (!gguf_) {
    const std::string path = in_folder(path_, "config.json");
    const auto file = MappedFile::open(path);
    if (!file) return file.error();
    return std::string(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  }
  const auto facts = tensor_facts(tensors_);
  const auto json = facts ? gguf_config_json(*gguf_, *facts) : Expected<std::string>(facts.error());
  if (!json) return make_error("{}: {}", path_, json.error().message);
  return json;
}

}  // namespace weft::model
