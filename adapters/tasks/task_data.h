// From folders of code to a task's examples as tokens, some files of them held out: what training, evaluation and their
// counts are made from. Files are screened and cleaned as all training data is. The same folders and options give the
// same examples in the same order. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/data/collect.h"
#include "adapters/tasks/task.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::adapters {

struct TokenExample {
  TaskExample text;             // `pair` is unique over all files
  std::vector<TokenId> prompt;  // at least one token
  std::vector<TokenId> answer;  // ends with TaskDataOptions::end
  // Tokens that the answer's first one counts for when training: where it is a verdict, as much as the rest together.
  std::size_t first_counts = 1;
  [[nodiscard]] std::size_t tokens() const { return prompt.size() + answer.size(); }
};

struct TaskDataOptions {
  std::vector<std::string> folders;
  std::optional<TokenId> end;         // of an answer; none: the tokenizer's <|endoftext|>
  std::size_t max_tokens = 1024;      // of a whole example
  double held_out_share = 0.1;        // of the files, at least one where there are two; 1: all of them
  std::size_t max_held_out = 400;     // examples kept of the held-out files, pairs whole
  std::size_t max_train = 1'000'000;  // and of the others
  std::uint64_t seed = 1;
  CollectOptions collect;
};

struct TaskData {
  std::vector<TokenExample> train, held_out;
  std::size_t files = 0, train_files = 0, held_out_files = 0;  // looked at; that gave examples
  std::size_t masked = 0;                                      // pieces of text that looked like keys
  std::vector<DroppedFile> dropped_files;                      // and why, those without examples included
  std::map<std::string, std::size_t> dropped_examples;         // reason -> examples
};

// done and all: files.
using TaskDataProgress = std::function<void(std::size_t done, std::size_t all)>;

// Errors: no such folder, a tokenizer without <|endoftext|>, "cancelled". Few or no examples are none.
Expected<TaskData> read_task_data(const Task& task, const model::Tokenizer& tokenizer, const TaskDataOptions& options,
                                  const TaskDataProgress& progress, const CancelFlag& cancel);

// One paragraph for a person: how many files and examples there are, and why what was dropped was.
[[nodiscard]] std::string describe(const TaskData& data);

}  // namespace weft::adapters
