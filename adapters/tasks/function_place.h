// What of a file before a function its prompt shows: the same in training and in serving. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::adapters {

// The last lines before `offset` that fit, without blank lines at either end.
[[nodiscard]] std::string context_before(std::string_view text, std::size_t offset);

// `def …` or `async def …`.
[[nodiscard]] bool begins_function(std::string_view line);

}  // namespace weft::adapters
