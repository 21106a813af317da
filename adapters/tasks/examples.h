// What the rows of the task table are made of, one pair of functions a task (bug_detection.cc, refactor.cc,
// function_from_comment.cc): examples from a file, and whether an answer is right. As task.h has them. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "adapters/tasks/task.h"
#include "generation/syntax/tree.h"

namespace weft::adapters {

// What a text comes to at most in a usual tokenizer of code, there being none at hand here: three bytes of ASCII a
// token, and a token for each other byte, since a small vocabulary has no pieces for them.
[[nodiscard]] std::size_t most_tokens(std::string_view text);

// A file that examples are made from is parsed whatever it takes: the same files are to give the same examples.
inline constexpr generation::ParseLimits kSourceLimits{.timeout_ms = 60'000};

constexpr std::size_t kBugPromptTokens = 512, kBugAnswerTokens = 96;
std::vector<TaskExample> bug_examples(const generation::Language& language, std::string_view source, Random& random);
bool bug_answer_correct(const TaskExample& wanted, std::string_view answer);

constexpr std::size_t kRefactorPromptTokens = 320, kRefactorAnswerTokens = 256;
std::vector<TaskExample> refactor_examples(const generation::Language& language, std::string_view source,
                                           Random& random);
bool refactor_answer_correct(const TaskExample& wanted, std::string_view answer);

constexpr std::size_t kFunctionPromptTokens = 384, kFunctionAnswerTokens = 256;
std::vector<TaskExample> function_examples(const generation::Language& language, std::string_view source,
                                           Random& random);
bool function_answer_correct(const TaskExample& wanted, std::string_view answer);

}  // namespace weft::adapters
