// Which files are worth reading, to train on or to remember, and in which form. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::generation {

struct CleanLimits {
  std::size_t min_bytes = 64;
  std::size_t max_bytes = 400'000;
  std::size_t max_line_bytes = 1000;
  std::size_t max_mean_line_bytes = 100;
  double min_letter_share = 0.25;  // of all bytes: tables of numbers and encoded data fall below it
};

struct Cleaned {
  std::string text;      // ends with one line end, has no carriage returns; empty when rejected
  std::string rejected;  // why: "too small", "not UTF-8", …; empty when kept
};

[[nodiscard]] Cleaned clean(std::string_view bytes, const CleanLimits& limits = {});

}  // namespace weft::generation
