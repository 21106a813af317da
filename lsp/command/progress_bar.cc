#include "lsp/command/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weft::lsp {
namespace {

constexpr int kBarCells = 20;
constexpr double kTerminalPeriodMs = 100;
constexpr double kLogPeriodMs = 10'000;

std::string draw_bar(double fraction) {
  const int full = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kBarCells);
  return fmt::format("[{:#<{}}{:.<{}}]", "", full, "", kBarCells - full);
}

}  // namespace

ProgressBar::ProgressBar(const Clock& clock, std::FILE* stream)
    : clock_(clock), stream_(stream), terminal_(isatty(fileno(stream)) == 1) {}

ProgressBar::~ProgressBar() {
  if (open_line_) fmt::print(stream_, "\n");
}

bool ProgressBar::due() const {
  return !shown_ || milliseconds_between(last_, clock_.now()) >= (terminal_ ? kTerminalPeriodMs : kLogPeriodMs);
}

void ProgressBar::show(double fraction, std::string_view text) {
  if (!due() && fraction < 1) return;
  shown_ = true;
  last_ = clock_.now();
  if (terminal_) {
    fmt::print(stream_, "\r\033[K{} {}", draw_bar(fraction), text);
    open_line_ = true;
  } else {
    fmt::print(stream_, "{:5.1f}% {}\n", fraction * 100, text);
  }
  std::fflush(stream_);
}

void ProgressBar::note(std::string_view text) {
  fmt::print(stream_, "{}{}\n", open_line_ ? "\r\033[K" : "", text);
  open_line_ = false;
  std::fflush(stream_);
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const auto total = std::llround(seconds);
  const auto hours = total / 3600, minutes = total / 60 % 60, rest = total % 60;
  if (hours > 0) return fmt::format("{}h{:02}m", hours, minutes);
  if (minutes > 0) return fmt::format("{}m{:02}s", minutes, rest);
  return fmt::format("{}s", rest);
}

}  // namespace weft::lsp
