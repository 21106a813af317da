// TokenText: the text of tokens as they come, of which only whole characters are shown. Bytes that may still become a
// character wait; bytes that cannot are shown as U+FFFD. Not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::generation {

class TokenText {
 public:
  // True when the shown text grew.
  bool append(std::string_view bytes);
  // Keeps the first `bytes` of the shown text, down to a whole character, and forgets what waits.
  void cut(std::size_t bytes);
  // Valid UTF-8.
  [[nodiscard]] const std::string& shown() const { return shown_; }

 private:
  std::string shown_, waiting_;
};

}  // namespace weft::generation
