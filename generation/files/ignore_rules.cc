#include "generation/files/ignore_rules.h"

#include <fnmatch.h>

#include <algorithm>
#include <ranges>
#include <span>

namespace weft::generation {
namespace {

constexpr std::size_t kMostSegments = 32;  // deeper patterns and paths match nothing

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  while (true) {
    const std::size_t end = path.find('/');
    segments.emplace_back(path.substr(0, end));
    if (end == std::string_view::npos) return segments;
    path.remove_prefix(end + 1);
  }
}

// Each cell is whether the first i segments of the pattern match the first j of the path, so that rows of "**" take no
// more time than other patterns.
bool matches(std::span<const std::string> pattern, std::span<const std::string> path) {
  if (pattern.size() > kMostSegments || path.size() > kMostSegments) return false;
  std::vector<bool> row(path.size() + 1, false);
  row[0] = true;
  for (const std::string& segment : pattern) {
    std::vector<bool> next(path.size() + 1, false);
    for (std::size_t j = 0; j <= path.size(); ++j) {
      if (segment == "**") {
        next[j] = row[j] || (j > 0 && next[j - 1]);
      } else if (j > 0 && row[j - 1]) {
        next[j] = ::fnmatch(segment.c_str(), path[j - 1].c_str(), 0) == 0;
      }
    }
    row = std::move(next);
  }
  return row[path.size()];
}

// A space that a backslash stands before stays.
std::string_view without_trailing_spaces(std::string_view line) {
  while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
  return line;
}

}  // namespace

void IgnoreRules::add(std::string_view folder, std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = without_trailing_spaces(line);
    if (line.empty() || line.front() == '#') continue;
    Rule rule;
    rule.folder = folder.empty() ? "" : std::string(folder) + "/";
    rule.keeps = line.front() == '!';
    if (rule.keeps) line.remove_prefix(1);
    rule.folders_only = line.ends_with('/');
    if (rule.folders_only) line.remove_suffix(1);
    // With a '/' before its end it is meant from the .gitignore's folder on, without one at any depth.
    const bool from_folder = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    rule.segments = split(line);
    if (!from_folder) rule.segments.insert(rule.segments.begin(), "**");
    // What is inside of a folder, but not the folder itself.
    if (rule.segments.back() == "**") rule.segments.emplace_back("*");
    rules_.push_back(std::move(rule));
  }
}

bool IgnoreRules::ignores(std::string_view path, Kind kind) const {
  for (const Rule& rule : std::views::reverse(rules_)) {
    if (rule.folders_only && kind != Kind::kFolder) continue;
    if (!path.starts_with(rule.folder)) continue;
    if (matches(rule.segments, split(path.substr(rule.folder.size())))) return !rule.keeps;
  }
  return false;
}

}  // namespace weft::generation
