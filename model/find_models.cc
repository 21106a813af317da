#include "model/find_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace weft::model {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepest = 5;             // folders below a place
constexpr std::size_t kMost = 100'000;  // entries looked at in a place
constexpr std::string_view kGguf = ".gguf", kSafetensors = ".safetensors";
constexpr std::uintmax_t kLargestManifest = 1 << 20;

// The entries of a folder, at most as many as are left to look at. What cannot be read is empty.
std::vector<fs::directory_entry> entries_of(const fs::path& folder, std::size_t& left) {
  std::vector<fs::directory_entry> out;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end && left > 0; at.increment(failed)) {
    out.push_back(*at);
    --left;
  }
  std::ranges::sort(out);
  return out;
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code ignored;
  return entry.symlink_status(ignored).type() == fs::file_type::directory;
}

// A file, or a link to one, as Hugging Face's cache has them.
bool is_file(const fs::directory_entry& entry) {
  std::error_code ignored;
  return entry.is_regular_file(ignored);
}

// Part 2 and those after it of a model in several files; the first part stands for all.
bool is_later_part(std::string_view name) {
  const std::size_t of = name.rfind("-of-");
  return of != std::string_view::npos && of >= 5 && name.substr(of - 5, 5) != "00001" &&
         std::ranges::all_of(name.substr(of - 5, 5), [](char c) { return c >= '0' && c <= '9'; });
}

using Found = std::vector<FoundModel>;

// A folder that is a model, and the GGUF files in it.
void look_at(const fs::path& folder, const std::vector<fs::directory_entry>& entries, const std::string& name,
             Found& out) {
  const auto has = [&](auto test) { return std::ranges::any_of(entries, test); };
  const bool configured = has([](const auto& entry) { return entry.path().filename() == "config.json"; });
  const bool weights = has([](const auto& entry) {
    return entry.path().string().ends_with(kSafetensors) || entry.path().filename() == "pytorch_model.bin";
  });
  if (configured && weights) out.push_back({folder.string(), name.empty() ? folder.filename().string() : name});
  for (const auto& entry : entries) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(kGguf) || !is_file(entry) || is_later_part(file)) continue;
    out.push_back({entry.path().string(), name.empty() ? file : name + "/" + file});
  }
}

void search(const fs::path& folder, int depth, std::size_t& left, Found& out) {
  const auto entries = entries_of(folder, left);
  look_at(folder, entries, "", out);
  for (const auto& entry : entries) {
    if (depth < kDeepest && is_folder(entry)) search(entry.path(), depth + 1, left, out);
  }
}

// models--ORG--NAME/snapshots/COMMIT/, whose files are links into blobs/.
void search_hugging_face(const fs::path& cache, std::size_t& left, Found& out) {
  constexpr std::string_view kPrefix = "models--", kBetween = "--";
  for (const auto& repository : entries_of(cache, left)) {
    std::string name = repository.path().filename().string();
    if (!name.starts_with(kPrefix) || !is_folder(repository)) continue;
    name.erase(0, kPrefix.size());
    if (const auto at = name.find(kBetween); at != std::string::npos) {
      name = fmt::format("{}/{}", name.substr(0, at), name.substr(at + kBetween.size()));
    }
    for (const auto& snapshot : entries_of(repository.path() / "snapshots", left)) {
      if (is_folder(snapshot)) look_at(snapshot.path(), entries_of(snapshot.path(), left), name, out);
    }
  }
}

// The blob of the layer that is the model.
std::string blob_of(const fs::path& manifest) {
  std::error_code failed;
  if (fs::file_size(manifest, failed) > kLargestManifest || failed) return "";
  std::ifstream in(manifest, std::ios::binary);
  const auto json = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  const auto layers = json.find("layers");
  if (layers == json.end() || !layers->is_array()) return "";
  for (const auto& layer : *layers) {
    const auto text = [&](const char* field) {
      const auto found = layer.find(field);
      return found != layer.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    const std::string digest = text("digest");
    const bool is_model = text("mediaType") == "application/vnd.ollama.image.model";
    // "sha256:…", and nothing that would lead elsewhere.
    if (is_model && digest.starts_with("sha256:") && digest.find('/') == std::string::npos) {
      return "sha256-" + digest.substr(digest.find(':') + 1);
    }
  }
  return "";
}

// manifests/REGISTRY/OWNER/MODEL/TAG, each a JSON file.
void search_ollama(const fs::path& models, const fs::path& folder, int depth, std::size_t& left, Found& out) {
  for (const auto& entry : entries_of(folder, left)) {
    if (is_folder(entry) && depth < kDeepest) {
      search_ollama(models, entry.path(), depth + 1, left, out);
    } else if (is_file(entry)) {
      const std::string blob = blob_of(entry.path());
      std::error_code ignored;
      if (blob.empty() || !fs::exists(models / "blobs" / blob, ignored)) continue;
      const fs::path tag = entry.path();
      out.push_back(
          {(models / "blobs" / blob).string(), tag.parent_path().filename().string() + ":" + tag.filename().string()});
    }
  }
}

}  // namespace

std::vector<ModelPlace> model_places(const std::function<std::string(const char*)>& variable) {
  std::vector<ModelPlace> out;
  std::string named = variable("WEFT_MODELS");
  for (std::size_t begin = 0; begin < named.size();) {
    const std::size_t end = std::min(named.find(':', begin), named.size());
    if (end > begin) out.push_back({PlaceKind::kFolder, named.substr(begin, end - begin)});
    begin = end + 1;
  }
  const std::string home = variable("HOME");
  const auto below_home = [&](std::string_view path) { return home.empty() ? "" : home + "/" + std::string(path); };
  const auto first_set = [](std::string a, const std::string& b) { return a.empty() ? b : a; };
  const std::string xdg = first_set(variable("XDG_CACHE_HOME"), below_home(".cache"));
  const std::string hugging_face = first_set(variable("HF_HOME"), xdg.empty() ? "" : xdg + "/huggingface");
  const std::string hub = first_set(variable("HF_HUB_CACHE"), hugging_face.empty() ? "" : hugging_face + "/hub");
  const std::string llama = first_set(variable("LLAMA_CACHE"), xdg.empty() ? "" : xdg + "/llama.cpp");
  const std::string ollama = first_set(variable("OLLAMA_MODELS"), below_home(".ollama/models"));
  for (const ModelPlace& place :
       {ModelPlace{PlaceKind::kHuggingFace, hub}, ModelPlace{PlaceKind::kFolder, llama},
        ModelPlace{PlaceKind::kFolder, below_home(".lmstudio/models")},
        ModelPlace{PlaceKind::kFolder, below_home(".cache/lm-studio/models")},
        ModelPlace{PlaceKind::kFolder, below_home("models")}, ModelPlace{PlaceKind::kOllama, ollama}}) {
    if (!place.path.empty()) out.push_back(place);
  }
  return out;
}

std::vector<FoundModel> find_models(const std::vector<ModelPlace>& places) {
  Found all;
  for (const ModelPlace& place : places) {
    std::size_t left = kMost;
    if (place.kind == PlaceKind::kHuggingFace) search_hugging_face(place.path, left, all);
    if (place.kind == PlaceKind::kFolder) search(place.path, 0, left, all);
    if (place.kind == PlaceKind::kOllama) search_ollama(place.path, fs::path(place.path) / "manifests", 0, left, all);
  }
  // The same file may lie in two places, and several of ollama's tags may be one blob.
  std::ranges::stable_sort(all, {}, &FoundModel::path);
  std::set<std::string> seen;
  std::erase_if(all, [&](const FoundModel& model) {
    std::error_code ignored;
    return !seen.insert(fs::weakly_canonical(model.path, ignored).string()).second;
  });
  return all;
}

}  // namespace weft::model
