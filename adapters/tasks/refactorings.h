// Refactorings: rows of a table, each with a rule that rewrites a statement in a better way and its inverse, which
// makes good code clumsy. Where the forward rule applies, the refactoring is found. Both look at one statement and its
// neighbours in the block. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adapters/data/random.h"
#include "generation/syntax/node.h"

namespace weft::adapters {

struct Rewrite {
  generation::ByteRange range;  // of the source: whole statements of one block
  std::string text;             // the new ones; lines but the first indented as they have to be there
};

struct Refactoring {
  std::string_view name;
  std::string_view title;  // what it does, as one says it: "use a list comprehension"
  std::optional<Rewrite> (*forward)(std::string_view source, const generation::Node& statement);
  std::optional<Rewrite> (*inverse)(std::string_view source, const generation::Node& statement, Random& random);
};

[[nodiscard]] std::span<const Refactoring> refactorings();
[[nodiscard]] const Refactoring* find_refactoring(std::string_view name);  // null: unknown

// A node right in a block or a module.
[[nodiscard]] bool is_statement(const generation::Node& node);

}  // namespace weft::adapters
