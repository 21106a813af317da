// ProgressBar: one line on stderr about work that takes a while. On a terminal it is rewritten in place; elsewhere a
// line is written now and then, so that a log file stays short. One thread at a time.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "model/base/clock.h"

namespace weft::lsp {

class ProgressBar {
 public:
  // `clock` must outlive the bar.
  explicit ProgressBar(const Clock& clock, std::FILE* stream = stderr);
  ~ProgressBar();  // leaves the cursor on a fresh line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `fraction` in [0, 1]; `text` has one line, without the end.
  void show(double fraction, std::string_view text);
  // A line that stays whatever comes after it.
  void note(std::string_view text);

 private:
  [[nodiscard]] bool due() const;

  const Clock& clock_;
  std::FILE* stream_;
  bool terminal_;
  bool open_line_ = false;  // something stands on the current terminal line
  bool shown_ = false;
  TimePoint last_{};
};

// 75 -> "1m15s". Negative and not-a-number: "?".
std::string format_duration(double seconds);

}  // namespace weft::lsp
