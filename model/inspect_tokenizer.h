// A checkpoint's tokenizer, as far as `weft models` shows it. For inspect.cc alone.
#pragma once

#include <string>
#include <vector>

#include "model/base/expected.h"
#include "model/weights/checkpoint.h"

namespace weft::model {

struct TokenizerSummary {
  std::string kind;
  std::size_t tokens = 0;
  std::vector<std::string> fim;  // prefix, suffix, middle
};

// Error: there is none, or it cannot be read.
Expected<TokenizerSummary> summarize_tokenizer(const Checkpoint& checkpoint, const std::string& path);

}  // namespace weft::model
