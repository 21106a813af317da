// Checkpoints in GGUF files: one file, or the parts that a large one was split into.
#include <algorithm>
#include <filesystem>
#include <set>

#include "model/base/mmap.h"
#include "model/weights/checkpoint.h"
#include "model/weights/gguf.h"
#include "model/weights/gguf_names.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".gguf";

// "name-00002-of-00005.gguf": part 2 of 5. A whole file: stem is its name without the ending, count is 0.
struct PartName {
  std::string stem;
  int part = 0, count = 0;
};

int digits(std::string_view text) {
  int out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    out = out * 10 + (c - '0');
  }
  return out;
}

PartName parse_name(std::string_view file) {
  constexpr std::string_view kOf = "-of-";
  constexpr std::size_t kDigits = 5, kTail = 1 + kDigits + kOf.size() + kDigits;  // "-00002-of-00005"
  if (file.ends_with(kEnding)) file.remove_suffix(kEnding.size());
  const PartName plain{std::string(file), 0, 0};
  if (file.size() <= kTail) return plain;
  const std::string_view tail = file.substr(file.size() - kTail);
  const int part = digits(tail.substr(1, kDigits)), count = digits(tail.substr(kTail - kDigits));
  if (tail[0] != '-' || tail.substr(1 + kDigits, kOf.size()) != kOf || part < 1 || count < part) return plain;
  return {std::string(file.substr(0, file.size() - kTail)), part, count};
}

// All parts of the model that `path` is, or is a part of.
std::vector<std::string> parts_of(const std::string& path) {
  const PartName name = parse_name(fs::path(path).filename().string());
  if (name.count == 0) return {path};
  std::vector<std::string> out;
  for (int part = 1; part <= name.count; ++part) {
    const std::string file = fmt::format("{}-{:05}-of-{:05}{}", name.stem, part, name.count, kEnding);
    out.push_back((fs::path(path).parent_path() / file).string());
  }
  return out;
}

// The one GGUF model of a folder: a whole file, or its first part.
Expected<std::string> only_model(const std::string& directory) {
  std::set<std::string> models;  // by the first file's path
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(directory, failed)) {
    const std::string file = entry.path().string();
    if (file.ends_with(kEnding)) models.insert(parts_of(file).front());
  }
  if (failed) return make_error("cannot read {}: {}", directory, failed.message());
  if (models.empty()) {
    return make_error(
        "{} holds no model: neither model.safetensors nor model.safetensors.index.json nor a .gguf file is there",
        directory);
  }
  if (models.size() > 1) {
    std::string names;
    for (const std::string& model : models) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", fs::path(model).filename().string());
    }
    return make_error("{} holds {} models, name one of them: {}", directory, models.size(), names);
  }
  return *models.begin();
}

Expected<void> check_split(const GgufMetadata& part, std::size_t number, std::size_t parts) {
  const auto count = part.integer("split.count"), index = part.integer("split.no");
  if (parts > 1 && (!count || *count != static_cast<std::int64_t>(parts))) {
    return make_error("split.count is {}, its name says {}", count ? std::to_string(*count) : "missing", parts);
  }
  if (parts > 1 && (!index || *index != static_cast<std::int64_t>(number))) {
    return make_error("split.no is {}, its name says {}", index ? std::to_string(*index) : "missing", number);
  }
  if (parts == 1 && count && *count > 1) {
    return make_error("one part of {}, without the others: they are found when named …-00001-of-{:05}.gguf", *count,
                      *count);
  }
  return {};
}

}  // namespace

Expected<Checkpoint> Checkpoint::open_gguf(const std::string& path) {
  std::error_code ignored;
  const auto first = fs::is_directory(path, ignored) ? only_model(path) : Expected<std::string>(path);
  if (!first) return first.error();
  Checkpoint checkpoint;
  checkpoint.path_ = path;
  GgufContents all;
  const std::vector<std::string> parts = parts_of(*first);
  for (std::size_t number = 0; number < parts.size(); ++number) {
    auto file = MappedFile::open(parts[number]);
    if (!file) return file.error();
    file->read_in_order();
    auto part = parse_gguf(file->bytes());
    if (!part) return make_error("{}: {}", parts[number], part.error().message);
    if (auto fits = check_split(part->metadata, number, parts.size()); !fits) {
      return make_error("{}: {}", parts[number], fits.error().message);
    }
    checkpoint.files_.push_back({parts[number], file->bytes().size()});
    const auto mapping = std::make_shared<const MappedFile>(*std::move(file));
    checkpoint.mappings_.push_back(mapping);
    if (number == 0) all.metadata = std::move(part->metadata);
    for (auto& [name, view] : part->tensors) {
      view.file = mapping.get();
      if (!all.tensors.emplace(name, std::move(view)).second) {
        return make_error("{}: tensor '{}' is in an earlier part too", parts[number], name);
      }
    }
  }
  if (const auto count = all.metadata.integer("split.tensors.count");
      parts.size() > 1 && count && *count != static_cast<std::int64_t>(all.tensors.size())) {
    return make_error("{}: its parts hold {} tensors, split.tensors.count says {}", *first, all.tensors.size(), *count);
  }
  auto tensors = huggingface_tensors(all);
  if (!tensors) return make_error("{}: {}", *first, tensors.error().message);
  checkpoint.tensors_ = *std::move(tensors);
  for (const auto& [key, value] : all.metadata.values()) {
    if (const auto* text = std::get_if<std::string>(&value)) checkpoint.metadata_.emplace(key, *text);
  }
  checkpoint.gguf_ = std::move(all.metadata);
  return checkpoint;
}

}  // namespace weft::model
