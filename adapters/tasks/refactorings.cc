#include "adapters/tasks/refactorings.h"

#include <algorithm>
#include <array>

#include "adapters/tasks/refactoring_rules.h"

namespace weft::adapters {
namespace {

constexpr auto kRefactorings = std::to_array<Refactoring>({
    {"list-comprehension", "use a list comprehension", refactoring::to_list_comprehension,
     refactoring::from_list_comprehension},
    {"dict-comprehension", "use a dict comprehension", refactoring::to_dict_comprehension,
     refactoring::from_dict_comprehension},
    {"any-all", "use any or all", refactoring::to_any_all, refactoring::from_any_all},
    {"enumerate", "use enumerate", refactoring::to_enumerate, refactoring::from_enumerate},
    {"guard-clause", "drop the else behind the jump", refactoring::to_guard_clause, refactoring::from_guard_clause},
    {"returned-condition", "return the condition", refactoring::to_returned_condition,
     refactoring::from_returned_condition},
    {"merged-ifs", "merge nested ifs", refactoring::to_merged_ifs, refactoring::from_merged_ifs},
    {"conditional-expression", "use a conditional expression", refactoring::to_conditional_expression,
     refactoring::from_conditional_expression},
    {"augmented-assignment", "use an augmented assignment", refactoring::to_augmented_assignment,
     refactoring::from_augmented_assignment},
    {"f-string", "use an f-string", refactoring::to_f_string, refactoring::from_f_string},
});

}  // namespace

std::span<const Refactoring> refactorings() { return kRefactorings; }

const Refactoring* find_refactoring(std::string_view name) {
  const auto* row = std::ranges::find(kRefactorings, name, &Refactoring::name);
  return row == kRefactorings.end() ? nullptr : row;
}

bool is_statement(const generation::Node& node) {
  const generation::Node parent = node.parent();
  return node.named() && (parent.is("block") || parent.is("module")) && !node.is("comment");
}

}  // namespace weft::adapters
