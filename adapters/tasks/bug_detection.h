// bug-detection: is there a bug in this function, in which line, and how is that line meant? The verdict is the
// answer's first token, so that its probability is what the editor's threshold looks at. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/tasks/task.h"

namespace weft::adapters {

// `function`: its text, without the indentation that is common to its lines.
[[nodiscard]] std::string bug_prompt(std::string_view function);

// The two beginnings of an answer. P(bug) = P(bug verdict) / (P(bug verdict) + P(clean verdict)).
[[nodiscard]] std::string_view bug_verdict();
[[nodiscard]] std::string_view clean_verdict();

struct BugReport {
  std::size_t line = 0;  // of the function, from 0
  std::string fixed;     // what that line should be, without its indentation
};
// Nothing: clean, or an answer that does not name a line of the function exactly.
[[nodiscard]] std::optional<BugReport> parse_bug_answer(std::string_view function, std::string_view answer);

}  // namespace weft::adapters
