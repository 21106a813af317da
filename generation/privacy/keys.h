// Where keys, tokens and passwords stand in a text. One pass over the text; whatever a rule looks ahead is bounded or
// is skipped afterwards, so that no input takes more than linear time. Pure.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace weft::generation {

struct KeySpan {
  std::size_t begin = 0, end = 0;  // byte offsets
};

// Ascending, not overlapping.
[[nodiscard]] std::vector<KeySpan> find_keys(std::string_view text);

}  // namespace weft::generation
