// What a model's folder, or its GGUF file, says beside its weights. Free of torch. Any thread.
#pragma once

#include <memory>
#include <string>

#include "model/base/expected.h"
#include "model/config/gguf_metadata.h"
#include "model/config/model_config.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::model {

// config.json, or what a GGUF file's metadata says. `path`: a folder, or the file.
Expected<ModelConfig> read_config(const std::string& path);

struct NamedTokenizer {
  std::shared_ptr<const Tokenizer> tokenizer;
  std::string kind;  // "SentencePiece", "byte pair encoding", and where it lies
};
// `gguf`: the metadata of the file that `path` is or holds; null where it is a folder of other files.
Expected<NamedTokenizer> read_tokenizer(const std::string& path, const GgufMetadata* gguf);

// The infilling format that fits the tokenizer, unless config.json has its own.
void add_fim_format(ModelConfig& config, const Tokenizer& tokenizer);

struct ModelFiles {
  ModelConfig config;  // with the infilling format that fits the tokenizer, where it has none of its own
  std::shared_ptr<const Tokenizer> tokenizer;
};
// Error: what is missing or wrong with which file; a tokenizer that is another model's.
Expected<ModelFiles> read_model_files(const std::string& path);

// The path holds a model in a form that weft reads, as far as the names of files say.
[[nodiscard]] bool looks_like_model(const std::string& path);

}  // namespace weft::model
