#include "adapters/tasks/task.h"

#include <algorithm>
#include <array>

#include "adapters/tasks/bug_detection.h"
#include "adapters/tasks/examples.h"

namespace weft::adapters {
namespace {

const std::array<Task, 3> kTasks = {{
    {.name = "bug-detection",
     .summary = "says whether a function has a bug, in which line, and how that line is meant",
     .max_prompt_tokens = kBugPromptTokens,
     .max_answer_tokens = kBugAnswerTokens,
     .examples = bug_examples,
     .correct = bug_answer_correct,
     .verdicts = {bug_verdict(), clean_verdict()}},
    {.name = "refactor",
     .summary = "rewrites statements so that they say the same in a better way",
     .max_prompt_tokens = kRefactorPromptTokens,
     .max_answer_tokens = kRefactorAnswerTokens,
     .examples = refactor_examples,
     .correct = refactor_answer_correct},
    {.name = "function-from-comment",
     .summary = "writes a function from a comment, a signature, or a signature with its docstring",
     .max_prompt_tokens = kFunctionPromptTokens,
     .max_answer_tokens = kFunctionAnswerTokens,
     .examples = function_examples,
     .correct = function_answer_correct},
}};

}  // namespace

std::size_t most_tokens(std::string_view text) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  const auto ascii = static_cast<std::size_t>(std::ranges::count_if(text, is_ascii));
  return ascii / 3 + (text.size() - ascii);
}

std::span<const Task> tasks() { return kTasks; }

const Task* find_task(std::string_view name) {
  const auto* row = std::ranges::find(kTasks, name, &Task::name);
  return row == kTasks.end() ? nullptr : row;
}

std::string known_tasks() {
  std::string names;
  for (const Task& task : kTasks) {
    if (!names.empty()) names += ", ";
    names += task.name;
  }
  return names;
}

}  // namespace weft::adapters
