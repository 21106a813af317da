#include "model/inspect_tokenizer.h"

#include <array>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "model/base/mmap.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;
using Has = std::function<bool(const std::string&)>;

// Control tokens for infilling, by their texts in the vocabularies of those that have them.
constexpr std::array<std::array<std::string_view, 3>, 7> kFim{{{"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},
                                                               {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},
                                                               {"<fim-prefix>", "<fim-suffix>", "<fim-middle>"},
                                                               {"▁<PRE>", "▁<SUF>", "▁<MID>"},
                                                               {"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"},
                                                               {"<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>"},
                                                               {"[PREFIX]", "[SUFFIX]", ""}}};

std::vector<std::string> find_fim(const Has& has) {
  for (const auto& row : kFim) {
    std::vector<std::string> found;
    for (const std::string_view token : row) {
      if (!token.empty() && has(std::string(token))) found.emplace_back(token);
    }
    const std::size_t wanted = row[2].empty() ? 2 : 3;
    if (found.size() == wanted) return found;
  }
  return {};
}

Expected<nlohmann::json> read_json(const std::string& path) {
  const auto file = MappedFile::open(path);
  if (!file) return file.error();
  const char* begin = reinterpret_cast<const char*>(file->bytes().data());
  auto json = nlohmann::json::parse(begin, begin + file->bytes().size(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return make_error("{} is not a JSON object", path);
  return json;
}

// tokenizer.json: model.vocab, an object of ids or a list of pieces with scores, and added_tokens.
Expected<TokenizerSummary> read_tokenizer_json(const std::string& path) {
  const auto json = read_json(path);
  if (!json) return json.error();
  std::set<std::string> texts;
  const auto model = json->find("model");
  const auto vocabulary = model == json->end() || !model->is_object() ? json->end() : model->find("vocab");
  if (model == json->end() || !model->is_object() || vocabulary == model->end()) {
    return make_error("{} has no model.vocab", path);
  }
  for (const auto& [key, value] : vocabulary->items()) {
    const bool pair = value.is_array() && !value.empty() && value.front().is_string();
    texts.insert(pair ? value.front().get<std::string>() : key);
  }
  if (const auto added = json->find("added_tokens"); added != json->end() && added->is_array()) {
    for (const auto& token : *added) {
      if (token.is_object() && token.contains("content") && token["content"].is_string()) {
        texts.insert(token["content"].get<std::string>());
      }
    }
  }
  const auto type = model->find("type");
  const bool unigram = type != model->end() && *type == "Unigram";
  return TokenizerSummary{unigram ? "unigram (tokenizer.json)" : "byte pair encoding (tokenizer.json)", texts.size(),
                          find_fim([&](const std::string& text) { return texts.contains(text); })};
}

Expected<TokenizerSummary> read_vocabulary_json(const std::string& path) {
  const auto json = read_json(path);
  if (!json) return json.error();
  return TokenizerSummary{"byte pair encoding (vocab.json, merges.txt)", json->size(),
                          find_fim([&](const std::string& text) { return json->contains(text); })};
}

Expected<TokenizerSummary> read_sentencepiece(const std::string& path) {
  const auto tokenizer = load_sentencepiece(path);
  if (!tokenizer) return tokenizer.error();
  return TokenizerSummary{"SentencePiece", (*tokenizer)->vocabulary(),
                          find_fim([&](const std::string& text) { return (*tokenizer)->control(text).has_value(); })};
}

Expected<TokenizerSummary> read_gguf(const GgufMetadata& metadata) {
  const auto tokenizer = gguf_tokenizer(metadata);
  if (!tokenizer) return tokenizer.error();
  const std::set<std::string_view> texts(tokenizer->tokens.begin(), tokenizer->tokens.end());
  const std::string kind =
      tokenizer->model == "llama" ? "SentencePiece"
      : tokenizer->model == "gpt2"
          ? fmt::format("byte pair encoding ({})", tokenizer->pre.empty() ? "default" : tokenizer->pre)
          : tokenizer->model;
  return TokenizerSummary{kind + ", in the GGUF file", tokenizer->tokens.size(),
                          find_fim([&](const std::string& text) { return texts.contains(text); })};
}

struct FileRow {
  const char* name;
  Expected<TokenizerSummary> (*read)(const std::string& path);
};
constexpr std::array kFiles{FileRow{"tokenizer.model", read_sentencepiece}, FileRow{"spiece.model", read_sentencepiece},
                            FileRow{"tokenizer.json", read_tokenizer_json},
                            FileRow{"vocab.json", read_vocabulary_json}};

}  // namespace

Expected<TokenizerSummary> summarize_tokenizer(const Checkpoint& checkpoint, const std::string& path) {
  if (checkpoint.gguf() != nullptr) return read_gguf(*checkpoint.gguf());
  for (const FileRow& row : kFiles) {
    std::error_code ignored;
    const fs::path file = fs::path(path) / row.name;
    if (fs::exists(file, ignored)) return row.read(file.string());
  }
  return make_error("{} holds no tokenizer: none of tokenizer.model, spiece.model, tokenizer.json, vocab.json is there",
                    path);
}

}  // namespace weft::model
