// function-from-comment: a whole function from what is said about it. The prompt is plain code that a model of code
// continues: some of the file, then the description as comment lines, or the signature, or the signature and its
// docstring. The answer is the rest of the function. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/tasks/task.h"
#include "generation/syntax/tree.h"

namespace weft::adapters {

// What stands at the cursor: a comment, a bare signature, or a signature with a docstring, none followed by a body.
struct FunctionRequestPlace {
  // Of the document: what the code takes the place of, from the beginning of a line to the end of one, the line end
  // left out. Empty for a description alone.
  generation::ByteRange replaced;
  std::string kept;     // of what is replaced, what stays above the function: the comment, as it is, with its line end
  std::string context;  // what of the file before it the model may see
  std::string description;      // comment text without '#', possibly of several lines; empty when there is a signature
  std::string signature;        // "def add(a, b):" and, if there is one, its docstring; without indentation
  std::size_t indentation = 0;  // columns that the function stands at
  std::string title;            // for the editor: `Generate function "add"`, `Generate function from comment`
};

// By syntax alone, < 5 ms on files of usual size. Nothing: the cursor is at no such place, or that is indented by tabs.
[[nodiscard]] std::optional<FunctionRequestPlace> find_function_request(const generation::Language& language,
                                                                        std::string_view text, std::size_t cursor);

// The place of a description given alone (`weft generate`).
[[nodiscard]] FunctionRequestPlace place_of_description(std::string_view description);

[[nodiscard]] std::string function_prompt(const FunctionRequestPlace& place);

struct ParsedFunction {
  // What is to stand in the place of `replaced`: the comment that is kept, and the whole function, signature and
  // docstring included, indented as the place asks. Lines end with "\n", the last one without.
  std::string code;
  bool parses = false;  // one function definition without ERROR or MISSING that has more of a body than a docstring
};
[[nodiscard]] ParsedFunction parse_function_answer(const generation::Language& language,
                                                   const FunctionRequestPlace& place, std::string_view answer);

}  // namespace weft::adapters
