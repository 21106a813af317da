#include "model/tokenizer/splitter.h"

#include <algorithm>

namespace weft::model {
namespace {

struct Part {
  std::size_t begin, end;
  bool matched;
};

// All of the text, matched and unmatched parts in turn; none is empty.
std::vector<Part> parts_of(std::string_view text, const Regex& pattern, bool invert) {
  std::vector<Part> parts;
  std::size_t at = 0;
  const auto add = [&](std::size_t end, bool matched) {
    if (end > at) parts.push_back({at, end, matched != invert});
    at = end;
  };
  for (const Regex::Match& match : pattern.find_all(text)) {
    add(match.begin, false);
    add(match.end, true);
  }
  add(text.size(), false);
  return parts;
}

// Joins each part with the one before it where `joins` says so.
template <class Joins>
void join(std::vector<Part>& parts, const Joins& joins) {
  std::vector<Part> joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && joins(parts[i - 1], parts[i])) {
      joined.back().end = parts[i].end;
    } else {
      joined.push_back(parts[i]);
    }
  }
  parts = std::move(joined);
}

}  // namespace

void Splitter::split(std::string_view text, std::vector<std::string_view>& pieces) const {
  std::vector<Part> parts = parts_of(text, pattern, invert);
  switch (behavior) {
    case SplitBehavior::kIsolated:
      break;
    case SplitBehavior::kRemoved:
      std::erase_if(parts, [](const Part& part) { return part.matched; });
      break;
    case SplitBehavior::kMergedWithPrevious:
      join(parts, [](const Part& before, const Part& part) { return part.matched && !before.matched; });
      break;
    case SplitBehavior::kMergedWithNext:
      join(parts, [](const Part& before, const Part& part) { return before.matched && !part.matched; });
      break;
    case SplitBehavior::kContiguous:
      join(parts, [](const Part& before, const Part& part) { return part.matched == before.matched; });
      break;
  }
  for (const Part& part : parts) pieces.push_back(text.substr(part.begin, part.end - part.begin));
}

std::vector<std::string_view> split(std::string_view text, const std::vector<Splitter>& steps) {
  std::vector<std::string_view> pieces = {text};
  for (const Splitter& step : steps) {
    std::vector<std::string_view> finer;
    finer.reserve(pieces.size() + text.size() / 8);
    for (const std::string_view piece : pieces) step.split(piece, finer);
    pieces = std::move(finer);
  }
  return pieces;
}

}  // namespace weft::model
