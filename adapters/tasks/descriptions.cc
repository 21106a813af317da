#include "adapters/tasks/descriptions.h"

#include <algorithm>
#include <array>

#include "adapters/tasks/lines.h"
#include "model/base/utf8.h"

namespace weft::adapters {
namespace {

// What comments begin with that speak to tools, not to people.
constexpr std::array<std::string_view, 12> kDirectives = {"!",    "-*-",    "type:", "noqa",      "pylint:", "pragma",
                                                          "fmt:", "isort:", "mypy:", "endregion", "region",  "ruff:"};
constexpr std::size_t kMostDescriptionBytes = 400;
constexpr std::size_t kFewestWords = 2, kFewestIdeographs = 4;
constexpr std::string_view kStop = ".", kIdeographicStop = "。";

bool is_ideograph(char32_t c) { return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF); }
bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0xC0; }

struct Script {
  std::size_t ideographs = 0, words = 0;  // words: runs of other letters
};
Script script_of(std::string_view text) {
  Script script;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Character at = utf8_at(text, i);
    if (is_ideograph(at.code)) ++script.ideographs;
    const bool letter = is_letter(at.code) && !is_ideograph(at.code);
    script.words += letter && !in_word ? 1 : 0;
    in_word = letter;
    i += at.bytes;
  }
  return script;
}

// The end of the first sentence: a stop with a blank behind it, or an ideographic one.
std::size_t sentence_end(std::string_view text) {
  std::size_t end = std::min(text.size(), text.find(kIdeographicStop));
  for (std::size_t at = text.find(kStop); at < end; at = text.find(kStop, at + 1)) {
    if (at + 1 == text.size() || text[at + 1] == ' ') end = at;
  }
  return end;
}

}  // namespace

std::string comment_text(std::string_view comment) {
  std::string text;
  for (std::string_view line : lines_of(comment)) {
    line = trimmed(line);
    line.remove_prefix(std::min(line.find_first_not_of('#'), line.size()));
    line = trimmed(line);
    if (!text.empty()) text += '\n';
    text += line;
  }
  return std::string(trimmed(text));
}

std::string first_sentence(std::string_view literal) {
  literal.remove_prefix(std::min(literal.find_first_of("'\""), literal.size()));
  const std::size_t quotes = literal.starts_with("\"\"\"") || literal.starts_with("'''") ? 3 : 1;
  if (literal.size() < 2 * quotes) return "";
  literal = literal.substr(quotes, literal.size() - 2 * quotes);
  std::string paragraph;
  for (const std::string_view line : lines_of(literal)) {
    if (trimmed(line).empty() && !paragraph.empty()) break;
    if (!paragraph.empty()) paragraph += ' ';
    paragraph += trimmed(line);
  }
  paragraph.resize(sentence_end(paragraph));
  return std::string(trimmed(paragraph));
}

bool is_description(std::string_view text) {
  if (text.size() > kMostDescriptionBytes || text.find(">>>") != text.npos) return false;
  const auto begins = [text](std::string_view directive) { return text.starts_with(directive); };
  if (std::ranges::any_of(kDirectives, begins)) return false;
  const Script script = script_of(text);
  return script.words >= kFewestWords || script.ideographs >= kFewestIdeographs;
}

std::string_view language_label(std::string_view description) {
  const Script script = script_of(description);
  return script.ideographs > script.words ? "zh" : "en";
}

}  // namespace weft::adapters
