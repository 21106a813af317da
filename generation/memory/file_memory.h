// FileMemory: the text of one open document around its cursor as a SuffixIndex, kept from key to key: a key encodes its
// line and puts the places of some lines in and out, whatever the document's length. What is before the cursor and what
// is behind it are two texts, so that the end of the prompt does not find itself. Keys and tokens in the text are
// masked. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "generation/memory/suffix_index.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

struct FileMemoryLimits {
  std::size_t side_bytes = 256 << 10;  // on each side of the cursor, the nearest ones
  SuffixIndexLimits index;
};

struct FilePlace {
  std::string_view path;
  std::string_view text;    // UTF-8
  std::size_t cursor = 0;   // byte offset
  std::size_t opening = 0;  // bytes before it that are no part of the prompt's tokens (GenerationRequest::opening)
};

class FileMemory {
 public:
  explicit FileMemory(std::shared_ptr<const model::Tokenizer> tokenizer, FileMemoryLimits limits = {});

  // What the place's document says; of a file that the secret rules name: nothing.
  std::shared_ptr<const SuffixPlaces> update(const FilePlace& place);
  // The tokens right before the place, at most as many as are compared: what a look-up there begins with.
  [[nodiscard]] std::vector<TokenId> context() const { return context_of(before_, 0); }
  [[nodiscard]] std::size_t bytes() const;  // of memory, about

 private:
  struct Line {
    std::string text;
    std::vector<TokenId> tokens;
    std::vector<TokenId> context;  // the tokens before it, as many as are compared
    TextId id = 0;                 // 0: not in the index
  };
  using Lines = std::vector<std::unique_ptr<Line>>;
  struct Range {
    std::size_t begin = 0, end = 0;
  };
  // The text with keys masked; looks at what changed since the last one alone, where that says the same.
  const std::string& mask(std::string text);
  [[nodiscard]] std::unique_ptr<Line> encode(std::string_view text) const;
  // Makes the lines those of the texts; says which of them need not be where they were.
  Range rearrange(const std::vector<std::string_view>& texts, std::size_t before);
  // The lines of `texts`, those of `old` in the range taken along where their text is the same.
  Lines reuse(const std::vector<std::string_view>& texts, Range old);
  void put(Line& line, std::vector<TokenId> context);
  // Of the lines before `index`, from `first` on.
  [[nodiscard]] std::vector<TokenId> context_of(std::size_t index, std::size_t first) const;

  std::shared_ptr<const model::Tokenizer> tokenizer_;
  FileMemoryLimits limits_;
  std::string read_, masked_;  // the last text, and what may be seen of it
  SuffixIndex index_;
  Lines lines_;
  std::size_t before_ = 0;  // of them are before the cursor
  TextId last_id_ = 0;
};

}  // namespace weft::generation
