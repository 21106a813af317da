// Where completions are asked for, and how far two lines are apart. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weft::adapters {

// A line with something in it: from its first character that is not blank to after its last one.
struct TextLine {
  std::size_t begin = 0, end = 0;  // byte offsets
};

// Bytes of insertions, deletions and replacements between the two.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
// Cursor offsets in `text`, ascending: half after a line's indentation, half inside a line. Same seed, same places.
[[nodiscard]] std::vector<std::size_t> choose_places(std::string_view text, std::size_t count, std::uint64_t seed);
// Lines of `text` as they come, no more than there are. Same seed, same lines.
[[nodiscard]] std::vector<TextLine> choose_lines(std::string_view text, std::size_t count, std::uint64_t seed);

}  // namespace weft::adapters
