// Where completions are asked for, and how far two lines are apart. Pure.
#include <algorithm>
#include <random>
#include <utility>

#include "adapters/eval/completion_eval.h"
#include "model/base/utf8.h"

namespace weft::adapters {
namespace {

struct Line {
  std::size_t first = 0, end = 0;  // from the first character that is not blank to after the last one
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    const std::size_t first = line.find_first_not_of(" \t\r\f");
    if (first != std::string_view::npos) {
      lines.push_back({begin + first, begin + line.find_last_not_of(" \t\r\f") + 1});
    }
    begin = end + 1;
  }
  return lines;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  if (a.size() < b.size()) std::swap(a, b);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::vector<std::size_t> choose_places(std::string_view text, std::size_t count, std::uint64_t seed) {
  std::vector<Line> lines = lines_of(text);
  std::mt19937_64 random(seed);  // its numbers are the same everywhere; the library's distributions are not
  const auto below = [&random](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  std::vector<std::size_t> places;
  while (places.size() < count && !lines.empty()) {
    std::swap(lines[below(lines.size())], lines.back());
    const Line line = lines.back();
    lines.pop_back();
    const bool inside = places.size() % 2 == 1;
    if (!inside) {
      places.push_back(line.first);
      continue;
    }
    if (line.end - line.first < 2) continue;
    const std::size_t place = utf8_floor(text, line.first + 1 + below(line.end - line.first - 1));
    if (place > line.first) places.push_back(place);
  }
  std::ranges::sort(places);
  return places;
}

}  // namespace weft::adapters
