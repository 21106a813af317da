// The tasks that adapters are trained for, one row each, and what is common to all: an example is a text that is given
// and a text that is wanted. Training and serving share the row, so that what was trained is what is asked. Free of
// torch. Pure.
//
// Tokens of an example: encode(prompt) + encode(answer) + <|endoftext|>. Prompt and answer are encoded apart, so that
// the model sees the same prompt tokens with and without an answer. Loss only on the answer and the end.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/data/random.h"
#include "generation/syntax/language.h"

namespace weft::adapters {

struct TaskExample {
  std::string prompt, answer;
  std::string label;  // what kind it is, for reports: the mutation's or the refactoring's name, "clean", "en", "zh"
  // bug-detection: the example about the same function without (with) the bug has the same number. -1: no pair.
  std::int64_t pair = -1;
};

// Of a task that detects something: the two ways in which an answer begins, whose probabilities are its verdict.
struct Verdicts {
  std::string_view positive, negative;  // both empty: the task detects nothing
  [[nodiscard]] bool detects() const { return !positive.empty(); }
};

struct Task {
  std::string_view name;     // "bug-detection": in commands and in adapter_config.json
  std::string_view summary;  // one line, for --help
  std::size_t max_prompt_tokens = 0, max_answer_tokens = 0;
  // Examples from one source file; the same for the same random numbers. Empty where there is nothing to learn from.
  std::vector<TaskExample> (*examples)(const generation::Language& language, std::string_view source, Random& random);
  // Is the model's answer (text up to the end token) as good as the wanted one? What `weft eval` counts.
  bool (*correct)(const TaskExample& wanted, std::string_view answer);
  Verdicts verdicts = {};
};

[[nodiscard]] std::span<const Task> tasks();
[[nodiscard]] const Task* find_task(std::string_view name);  // null: unknown
[[nodiscard]] std::string known_tasks();                     // "bug-detection, …"

}  // namespace weft::adapters
