// StopCondition: when generated text is enough. Engine thread only; one object serves one request, all lines of a beam
// search alike, so that its verdict depends on the text alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace weft::generation {

class StopCondition {
 public:
  virtual ~StopCondition() = default;
  // `text`: everything generated so far, whole characters. Returns the number of bytes to keep once it is enough.
  [[nodiscard]] virtual std::optional<std::size_t> check(std::string_view text) const = 0;
};

}  // namespace weft::generation
