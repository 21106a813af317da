#include "adapters/actions/edits.h"

#include <algorithm>
#include <optional>

#include "generation/syntax/tree.h"

namespace weft::adapters {
namespace {

using generation::ByteRange;
using generation::SyntaxTree;

constexpr std::string_view kBlanks = " \t";

// Calls `each` with every line, without its line end, and whether it is the last.
template <class Each>
void for_lines(std::string_view text, Each each) {
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return each(text.substr(begin), true);
    each(text.substr(begin, end - begin), false);
    begin = end + 1;
  }
}

bool is_blank(std::string_view line) { return line.find_first_not_of(kBlanks) == std::string_view::npos; }

std::string with_lf(std::string_view code) {
  std::string out;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] != '\r' || i + 1 == code.size() || code[i + 1] != '\n') out += code[i];
  }
  return out;
}

std::string common_indentation(std::string_view code) {
  std::optional<std::string_view> common;
  for_lines(code, [&](std::string_view line, bool) {
    if (is_blank(line)) return;
    const std::string_view own = line.substr(0, line.find_first_not_of(kBlanks));
    if (!common) common = own;
    const auto differs = std::mismatch(common->begin(), common->end(), own.begin(), own.end()).first;
    common = common->substr(0, static_cast<std::size_t>(differs - common->begin()));
  });
  return std::string(common.value_or(""));
}

}  // namespace

DedentedCode dedent(std::string_view code) {
  DedentedCode out;
  out.crlf = code.find("\r\n") != std::string_view::npos;
  const std::string plain = with_lf(code);
  out.indentation = common_indentation(plain);
  for_lines(plain, [&](std::string_view line, bool last) {
    line.remove_prefix(std::min(line.size(), out.indentation.size()));
    out.text += line;
    if (!last) out.text += '\n';
  });
  return out;
}

std::string indent_like(const DedentedCode& original, std::string_view code) {
  std::string out;
  for_lines(code, [&](std::string_view line, bool last) {
    if (!is_blank(line)) out.append(original.indentation).append(line);
    if (!last) out += original.crlf ? "\r\n" : "\n";
  });
  return out;
}

ByteRange line_in(std::string_view text, ByteRange range, std::size_t line) {
  std::size_t begin = range.begin;
  for (; line > 0; --line) {
    const std::size_t newline = text.find('\n', begin);
    if (newline >= range.end) return {range.end, range.end};
    begin = newline + 1;
  }
  std::size_t end = std::min({text.find('\n', begin), range.end, text.size()});
  if (end > begin && text[end - 1] == '\r') --end;
  while (begin < end && kBlanks.find(text[begin]) != std::string_view::npos) ++begin;
  return {begin, end};
}

std::string applied(std::string_view text, const TextEdit& edit) {
  std::string out(text.substr(0, edit.range.begin));
  out += edit.text;
  out += text.substr(edit.range.end);
  return out;
}

bool stays_sound(const generation::Language& language, std::string_view text, const TextEdit& edit) {
  const auto before = SyntaxTree::parse(language, text);
  if (!before) return false;
  const std::string edited = applied(text, edit);
  const auto after = SyntaxTree::parse(language, edited);
  return after && after->errors_in({0, edited.size()}) <= before->errors_in({0, text.size()});
}

}  // namespace weft::adapters
