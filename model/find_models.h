// Where people keep models, and what lies there: for `weft models list`. Reads names of files, manifests and the
// headers of checkpoints, nothing else; follows no link to a folder; looks only so deep. Free of torch. Any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace weft::model {

enum class PlaceKind { kHuggingFace, kFolder, kOllama };

struct ModelPlace {
  PlaceKind kind = PlaceKind::kFolder;
  std::string path;
};

// $WEFT_MODELS (folders, with ':' between them), Hugging Face's cache, llama.cpp's, LM Studio's, ~/models, ollama's.
// `variable` gives an environment variable's value, empty where it is not set.
std::vector<ModelPlace> model_places(const std::function<std::string(const char*)>& variable);

struct FoundModel {
  std::string path;  // for --model
  std::string name;  // "Qwen/Qwen2.5-Coder-0.5B", "qwen2.5-coder:1.5b", or the file's or folder's own
};

// Every model once, sorted by path. Places that are not there are passed over.
std::vector<FoundModel> find_models(const std::vector<ModelPlace>& places);

}  // namespace weft::model
