#include "generation/prompt_tokens.h"

#include <utility>

namespace weft::generation {

void PromptTokens::control(std::string_view name) {
  if (name.empty()) return;
  flush();
  if (const auto id = tokenizer_.control(name)) {
    out_.push_back(*id);
  } else if (!missing_) {
    missing_ = name;
  }
}

void PromptTokens::tokens(std::span<const TokenId> some) {
  flush();
  out_.insert(out_.end(), some.begin(), some.end());
}

std::vector<TokenId> PromptTokens::take() && {
  flush();
  return std::move(out_);
}

void PromptTokens::flush() {
  if (text_.empty()) return;
  const auto ids = starts_ ? tokenizer_.encode_start(text_) : tokenizer_.encode(text_);
  text_.clear();
  out_.insert(out_.end(), ids.begin(), ids.end());
}

}  // namespace weft::generation
