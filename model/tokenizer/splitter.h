// Splitter: one step of a pre-tokenizer. It cuts a text where a pattern matches. Immutable, thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "model/tokenizer/regex.h"

namespace weft::model {

// What becomes of a match; the names are those of tokenizer.json.
enum class SplitBehavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

struct Splitter {
  Regex pattern;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;  // what the pattern does not match counts as matched, and the other way round

  // Appends the pieces of `text`, views into it, none empty.
  void split(std::string_view text, std::vector<std::string_view>& pieces) const;
};

// Cuts each piece of `text` further, step by step.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, const std::vector<Splitter>& steps);

}  // namespace weft::model
