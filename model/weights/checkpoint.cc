#include <filesystem>
#include <nlohmann/json.hpp>

#include "model/weights/safetensors.h"

namespace weft::model {
namespace {

constexpr std::string_view kSingle = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";

std::string in_folder(const std::string& directory, std::string_view name) {
  return (std::filesystem::path(directory) / name).string();
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
    if (name.empty() || std::filesystem::path(name).filename() != name || name == "..") {
      return make_error("{}: tensor '{}' lies in {}, expected a file of the same folder", path, tensor, shard.dump());
    }
    out.emplace(tensor, name);
  }
  return out;
}

}  // namespace

Expected<Checkpoint> Checkpoint::open(const std::string& directory) {
  Checkpoint checkpoint;
  checkpoint.directory_ = directory;
  std::error_code ignored;
  if (std::filesystem::exists(in_folder(directory, kSingle), ignored)) {
    auto file = SafetensorsFile::open(in_folder(directory, kSingle));
    if (!file) return file.error();
    for (const std::string& name : (*file)->names()) checkpoint.owners_.emplace(name, *file);
    checkpoint.metadata_ = (*file)->metadata();
    return checkpoint;
  }
  const std::string index_path = in_folder(directory, kIndex);
  if (!std::filesystem::exists(index_path, ignored)) {
    return make_error("{} holds no model: neither {} nor {} is there", directory, kSingle, kIndex);
  }
  const auto index = read_index(index_path);
  if (!index) return index.error();
  std::map<std::string, std::shared_ptr<const SafetensorsFile>> shards;
  for (const auto& [tensor, shard] : *index) {
    auto& file = shards[shard];
    if (!file) {
      auto opened = SafetensorsFile::open(in_folder(directory, shard));
      if (!opened) return opened.error();
      file = *std::move(opened);
      checkpoint.metadata_.insert(file->metadata().begin(), file->metadata().end());
    }
    if (const auto found = file->find(tensor); !found) {
      return make_error("{} names a tensor that its shard lacks: {}", index_path, found.error().message);
    }
    checkpoint.owners_.emplace(tensor, file);
  }
  return checkpoint;
}

Expected<TensorView> Checkpoint::find(std::string_view name) const {
  const auto owner = owners_.find(name);
  if (owner == owners_.end()) {
    return make_error("the checkpoint in {} has no tensor '{}' ({} others)", directory_, name, owners_.size());
  }
  return owner->second->find(name);
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> out;
  for (const auto& [name, file] : owners_) out.push_back(name);
  return out;
}

}  // namespace weft::model
