// PromptTokens: control tokens, and the texts between them, each encoded as a whole. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

class PromptTokens {
 public:
  explicit PromptTokens(const model::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void control(std::string_view name);  // by its text; an empty one is none
  void text(std::string_view some) { text_ += some; }
  void tokens(std::span<const TokenId> some);  // of a text that is encoded already
  // Whether a text is encoded as the start of one, as it is when what ends it comes.
  void start_texts(bool start) { starts_ = start; }

  [[nodiscard]] const std::optional<std::string>& missing() const { return missing_; }  // first that there is not
  [[nodiscard]] std::vector<TokenId> take() &&;

 private:
  void flush();

  const model::Tokenizer& tokenizer_;
  std::string text_;  // not encoded yet
  bool starts_ = false;
  std::vector<TokenId> out_;
  std::optional<std::string> missing_;
};

}  // namespace weft::generation
