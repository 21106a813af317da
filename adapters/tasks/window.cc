#include "adapters/tasks/window.h"

#include <algorithm>
#include <array>
#include <vector>

#include "adapters/tasks/function_place.h"
#include "adapters/tasks/lines.h"
#include "generation/syntax/scanner.h"

namespace weft::adapters {
namespace {

using generation::ByteRange;
using generation::CodeScanner;
using generation::Language;

// Lines that go on with a statement at their own indentation.
constexpr std::array<std::string_view, 4> kContinuations = {"else", "elif", "except", "finally"};

struct Start {
  std::size_t offset = 0;  // of its first character
  std::size_t margin = 0;
};

bool continues(std::string_view code) {
  return std::ranges::any_of(kContinuations, [code](std::string_view word) { return code.starts_with(word); });
}

// What the lines up to the cursor's say of where it stands.
struct Above {
  std::vector<Start> functions;    // that hold the line, outer ones first
  std::size_t before = 0, at = 0;  // beginnings of the last two top-level statements
};

void note(Above& above, std::string_view line, std::size_t offset) {
  const std::size_t margin = margin_of(line).size();
  while (!above.functions.empty() && above.functions.back().margin >= margin) above.functions.pop_back();
  if (begins_function(line)) above.functions.push_back({offset + margin, margin});
  if (margin > 0 || continues(trimmed(line))) return;
  above.before = above.at;
  above.at = offset;
}

}  // namespace

ByteRange statement_window(const Language& language, std::string_view text, std::size_t cursor) {
  CodeScanner scanner(language);
  Above above;
  std::size_t offset = 0, behind = 0;  // behind: top-level statements that begin below the cursor
  while (offset < text.size()) {
    const std::size_t end = std::min(text.find('\n', offset), text.size() - 1) + 1;
    const std::string_view line = text.substr(offset, end - offset), code = trimmed(line);
    const bool starts = scanner.at_rest() && !code.empty() && !code.starts_with(language.line_comment);
    if (starts && offset <= cursor) {
      note(above, line, offset);
    } else if (starts) {
      const std::size_t margin = margin_of(line).size();
      if (!above.functions.empty() && margin <= above.functions.back().margin) break;
      behind += margin == 0 && !continues(code) ? 1 : 0;
      if (behind == 2) break;
    }
    scanner.feed(line);
    offset = end;
  }
  return {above.functions.empty() ? above.before : above.functions.back().offset, offset};
}

}  // namespace weft::adapters
