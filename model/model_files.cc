#include "model/model_files.h"

#include <filesystem>
#include <optional>

#include "model/config/fim_formats.h"
#include "model/tokenizer/byte_level_bpe.h"
#include "model/tokenizer/sentencepiece.h"
#include "model/weights/checkpoint.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;

bool has_config(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::path(path) / "config.json", ignored);
}

Expected<ModelConfig> config_of(const Checkpoint& checkpoint, const std::string& path) {
  const auto json = checkpoint.config_json();
  if (!json) return json.error();
  auto config = parse_model_config(*json, fs::path(path).stem().string());
  if (!config) return make_error("{}: {}", path, config.error().message);
  return config;
}

Expected<std::shared_ptr<const Tokenizer>> sentencepiece_of(const GgufTokenizer& gguf, const std::string& path) {
  SentencePieceParts parts{.origin = path};
  parts.add_dummy_prefix = gguf.adds_space_prefix;
  for (std::size_t id = 0; id < gguf.tokens.size(); ++id) {
    // Both number the kinds of tokens as SentencePiece does.
    const float score = id < gguf.scores.size() ? gguf.scores[id] : 0.0F;
    parts.pieces.push_back({gguf.tokens[id], score, static_cast<PieceType>(gguf.kinds[id])});
  }
  return make_sentencepiece(parts);
}

Expected<std::shared_ptr<const Tokenizer>> byte_level_bpe_of(const GgufTokenizer& gguf, const std::string& path) {
  BpeParts parts{.origin = path, .tokens = gguf.tokens, .merges = gguf.merges};
  if (!gguf.pre.empty()) parts.pre_tokenizer = gguf.pre;
  for (std::size_t id = 0; id < gguf.kinds.size(); ++id) {
    const auto index = static_cast<std::int32_t>(id);
    using enum GgufTokenizer::Kind;
    if (gguf.kinds[id] == kUserDefined) parts.user_defined.push_back(index);
    if (gguf.kinds[id] == kControl || gguf.kinds[id] == kUnknown || gguf.kinds[id] == kUnused) {
      parts.controls.push_back(index);
    }
  }
  return make_byte_level_bpe(std::move(parts));
}

Expected<NamedTokenizer> tokenizer_of(const GgufMetadata& metadata, const std::string& path) {
  const auto gguf = gguf_tokenizer(metadata);
  if (!gguf) return make_error("{}: {}", path, gguf.error().message);
  const bool pieces = gguf->model == "llama";
  if (!pieces && gguf->model != "gpt2") {
    return make_error("{}: tokenizer.ggml.model '{}' is not supported, only llama and gpt2 are", path, gguf->model);
  }
  auto tokenizer = pieces ? sentencepiece_of(*gguf, path) : byte_level_bpe_of(*gguf, path);
  if (!tokenizer) return tokenizer.error();
  return NamedTokenizer{*std::move(tokenizer),
                        fmt::format("{}, in the GGUF file", pieces ? "SentencePiece" : "byte pair encoding")};
}

}  // namespace

Expected<ModelConfig> read_config(const std::string& path) {
  if (has_config(path)) return read_model_config(path);
  const auto checkpoint = Checkpoint::open(path);
  if (!checkpoint) return checkpoint.error();
  return config_of(*checkpoint, path);
}

Expected<NamedTokenizer> read_tokenizer(const std::string& path, const GgufMetadata* gguf) {
  if (gguf != nullptr) return tokenizer_of(*gguf, path);
  auto tokenizer = load_tokenizer(path);
  if (!tokenizer) return tokenizer.error();
  const std::string file = fs::path(tokenizer_files(path).front()).filename().string();
  const std::string kind = file.ends_with(".model") ? "SentencePiece" : "byte pair encoding";
  return NamedTokenizer{*std::move(tokenizer), fmt::format("{} ({})", kind, file)};
}

void add_fim_format(ModelConfig& config, const Tokenizer& tokenizer) {
  if (config.fim.available()) return;
  config.fim = find_fim_format(*config.architecture,
                               [&](std::string_view token) { return tokenizer.control(token).has_value(); });
}

Expected<ModelFiles> read_model_files(const std::string& path) {
  std::optional<Checkpoint> checkpoint;  // where there is no config.json
  if (!has_config(path)) {
    auto opened = Checkpoint::open(path);
    if (!opened) return opened.error();
    checkpoint = *std::move(opened);
  }
  auto config = checkpoint ? config_of(*checkpoint, path) : read_model_config(path);
  if (!config) return config.error();
  auto tokenizer = read_tokenizer(path, checkpoint ? checkpoint->gguf() : nullptr);
  if (!tokenizer) return tokenizer.error();
  if (tokenizer->tokenizer->vocabulary() > static_cast<std::size_t>(config->vocabulary)) {
    return make_error("{}: the tokenizer has {} tokens, config.json a vocabulary of {}: they are not of one model",
                      path, tokenizer->tokenizer->vocabulary(), config->vocabulary);
  }
  add_fim_format(*config, *tokenizer->tokenizer);
  return ModelFiles{*std::move(config), std::move(tokenizer->tokenizer)};
}

bool looks_like_model(const std::string& path) {
  if (has_config(path) || path.ends_with(".gguf")) return true;
  std::error_code failed;
  for (fs::directory_iterator entry(path, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (entry->path().extension() == ".gguf") return true;
  }
  return false;
}

}  // namespace weft::model
