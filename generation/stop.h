// StopCondition: when generated text is enough. Engine thread only; one object serves one request.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace weft::generation {

class StopCondition {
 public:
  virtual ~StopCondition() = default;
  // `text`: everything generated so far, whole characters. Returns the number of bytes to keep once it is enough.
  virtual std::optional<std::size_t> check(std::string_view text) = 0;
};

}  // namespace weft::generation
