// Training of the tokenizer.model that load_tokenizer reads. Pure but for the file it writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "model/base/expected.h"

namespace weft::model {

struct TokenizerTraining {
  std::size_t vocabulary = 8192;
  std::size_t sample_bytes = 5 << 20;  // documents are drawn by `seed` until this much text is taken
  std::uint64_t seed = 1;
  int threads = 2;
};

// BPE with byte fallback whose merges may cross spaces; a line end and its indentation is one token. The control tokens
// are <|endoftext|>, <fim_prefix>, <fim_suffix>, <fim_middle>, <fim_pad>, <file_sep>, <repo_name>.
// Error: no text, too little of it for the vocabulary, `path` cannot be written. The same documents, options and seed
// give the same file.
Expected<void> train_sentencepiece(std::span<const std::string> documents, const TokenizerTraining& options,
                                   const std::string& path);

}  // namespace weft::model
