// Mutations: small mistakes as people make them, put into functions that are right. A mutation rule is a row of a
// table; it proposes edits at nodes of a function's tree. A rule's weight is how often people mend that mistake. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/data/random.h"
#include "generation/syntax/node.h"

namespace weft::adapters {

struct Edit {
  generation::ByteRange range;
  std::string text;
};

// A variable of the function itself, not of functions inside it.
struct Variable {
  std::string_view name;
  std::size_t bound_from = 0;  // the offset behind which it can be read
};

// One function and what its rules want to know of it. Views into the function's text.
struct FunctionView {
  std::string_view text;
  generation::Node function;
  std::vector<Variable> variables;           // the first binding of each
  std::vector<std::string_view> callees;     // names called as functions: `name(…)`
  std::vector<generation::Node> attributes;  // `object.name`, called or not
};

struct MutationRule {
  std::string_view name;
  double weight = 0;
  void (*propose)(const FunctionView& view, const generation::Node& node, std::vector<Edit>& edits);
};
[[nodiscard]] std::span<const MutationRule> mutation_rules();

struct Mutant {
  std::string_view rule;
  std::string text;      // of the whole function
  std::size_t line = 0;  // the one that differs, from 0
};

// One mutant of a function that stands alone and without indentation: it parses, and differs in one line. Nothing: no
// rule finds a place, or the text is not one whole function.
[[nodiscard]] std::optional<Mutant> mutate(const generation::Language& language, std::string_view function,
                                           Random& random);

}  // namespace weft::adapters
