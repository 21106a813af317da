// refactor: code that says the same in a better way. A refactoring is recognised by its row's detector, and its data is
// made the other way round: code that is fine already is made clumsy by the inverse, and kept only where the detector
// finds it and the forward rule leads back. The model writes the new code at serving time, not the rule. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/tasks/task.h"
#include "generation/syntax/tree.h"

namespace weft::adapters {

struct RefactorPlace {
  generation::ByteRange range;  // the statements to be rewritten, whole lines without the last line end
  std::string refactoring;      // the row's name: "list-comprehension"
  std::string title;            // for the editor: "Refactor: use a list comprehension"
};

// What could be refactored where the cursor stands, by tree-sitter alone. It parses the function at the cursor, or the
// top-level statements around it, not the whole text.
[[nodiscard]] std::vector<RefactorPlace> find_refactorings(const generation::Language& language, std::string_view text,
                                                           std::size_t cursor);

// `statements`: without the indentation that is common to its lines.
[[nodiscard]] std::string refactor_prompt(std::string_view refactoring, std::string_view statements);
// The new statements, without common indentation; nothing when they do not parse, say the same as before, or lose or
// bring in names that refactorings do not.
[[nodiscard]] std::optional<std::string> parse_refactor_answer(const generation::Language& language,
                                                               std::string_view statements, std::string_view answer);

}  // namespace weft::adapters
