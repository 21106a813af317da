#include <filesystem>

#include "model/tokenizer/tokenizer.h"

namespace weft::model {

Expected<std::string> find_sentencepiece(const std::string& directory) {
  const std::filesystem::path folder(directory);
  std::error_code ignored;
  for (const char* name : {"tokenizer.model", "spiece.model"}) {
    if (std::filesystem::exists(folder / name, ignored)) return (folder / name).string();
  }
  for (const char* name : {"tokenizer.json", "vocab.json"}) {
    if (std::filesystem::exists(folder / name, ignored)) {
      return make_error(
          "{} is not read yet: weft reads SentencePiece tokenizers, and neither tokenizer.model nor spiece.model is "
          "there",
          (folder / name).string());
    }
  }
  return make_error("{} holds no tokenizer: neither tokenizer.model nor spiece.model is there", directory);
}

}  // namespace weft::model
