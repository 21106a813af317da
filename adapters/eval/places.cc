#include "adapters/eval/places.h"

#include <algorithm>
#include <random>
#include <utility>

#include "model/base/utf8.h"

namespace weft::adapters {
namespace {

std::vector<TextLine> lines_of(std::string_view text) {
  std::vector<TextLine> lines;
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

// Takes lines at random until none is left.
class Lines {
 public:
  // The generator's numbers are the same everywhere; the library's distributions are not.
  Lines(std::string_view text, std::uint64_t seed) : lines_(lines_of(text)), random_(seed) {}
  [[nodiscard]] bool empty() const { return lines_.empty(); }
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }
  TextLine take() {
    std::swap(lines_[below(lines_.size())], lines_.back());
    const TextLine line = lines_.back();
    lines_.pop_back();
    return line;
  }

 private:
  std::vector<TextLine> lines_;
  std::mt19937_64 random_;
};

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
  Lines lines(text, seed);
  std::vector<std::size_t> places;
  while (places.size() < count && !lines.empty()) {
    const TextLine line = lines.take();
    const bool inside = places.size() % 2 == 1;
    if (!inside) {
      places.push_back(line.begin);
      continue;
    }
    if (line.end - line.begin < 2) continue;
    const std::size_t place = utf8_floor(text, line.begin + 1 + lines.below(line.end - line.begin - 1));
    if (place > line.begin) places.push_back(place);
  }
  std::ranges::sort(places);
  return places;
}

std::vector<TextLine> choose_lines(std::string_view text, std::size_t count, std::uint64_t seed) {
  Lines lines(text, seed);
  std::vector<TextLine> chosen;
  while (chosen.size() < count && !lines.empty()) chosen.push_back(lines.take());
  std::ranges::sort(chosen, {}, &TextLine::begin);
  return chosen;
}

}  // namespace weft::adapters
