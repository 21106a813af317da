// Which files of a model directory are its tokenizer. Any thread.
#include <array>
#include <filesystem>

#include "model/tokenizer/added_tokens.h"
#include "model/tokenizer/json_access.h"
#include "model/tokenizer/sentencepiece.h"
#include "model/tokenizer/sentencepiece_proto.h"
#include "model/tokenizer/tokenizer.h"
#include "model/tokenizer/tokenizer_json.h"
#include "model/tokenizer/vocabulary_json.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Expected<std::shared_ptr<const Tokenizer>> load_sentencepiece(const std::string& model, const std::string& directory,
                                                              const fs::path& path) {
  std::vector<std::string> pieces;
  if (const auto proto = read_sentencepiece_proto(model)) {
    for (const auto& piece : proto->pieces) pieces.push_back(piece.text);
  }
  const auto added = read_added_tokens(directory, pieces);
  if (!added) return added.error();
  return parse_sentencepiece(model, path.string(), *added);
}

}  // namespace

Expected<std::shared_ptr<const Tokenizer>> load_tokenizer(const std::string& directory) {
  const fs::path folder(directory), json = folder / "tokenizer.json";
  for (const char* name : {"tokenizer.model", "spiece.model"}) {
    if (!is_there(folder / name)) continue;
    const auto model = read_text_file((folder / name).string());
    if (!model) return model.error();
    // Others call their own format tokenizer.model and have a tokenizer.json as well.
    if (may_be_sentencepiece(*model) || !is_there(json)) return load_sentencepiece(*model, directory, folder / name);
  }
  if (is_there(json)) {
    const auto text = read_text_file(json.string());
    if (!text) return text.error();
    return parse_tokenizer_json(*text, json.string());
  }
  if (is_there(folder / "vocab.json") && is_there(folder / "merges.txt")) return load_vocabulary_and_merges(directory);
  return make_error(
      "{} holds no tokenizer: neither tokenizer.model nor spiece.model, tokenizer.json, or vocab.json with merges.txt "
      "is there",
      directory);
}

std::vector<std::string> tokenizer_files(const std::string& directory) {
  constexpr std::array kNames = {
      "tokenizer.model", "spiece.model",          "tokenizer.json",    "vocab.json",
      "merges.txt",      "tokenizer_config.json", "added_tokens.json", "special_tokens_map.json"};
  std::vector<std::string> files;
  for (const char* name : kNames) {
    const fs::path path = fs::path(directory) / name;
    if (is_there(path)) files.push_back(path.string());
  }
  return files;
}

}  // namespace weft::model
