// The report of a training, from what it gave, what its log says and what its evaluation found. Pure but for the log.
#pragma once

#include <string>

#include "adapters/eval/task_eval.h"
#include "adapters/report/report.h"
#include "adapters/train/train_adapter.h"

namespace weft::adapters {

struct TrainRecord {
  const TrainOptions& options;
  const TrainReport& result;
  const TaskEvalReport* evaluation;  // on the held-out examples; null: only the losses are known
  std::string command;               // as it was typed
};

// Curves come from log.jsonl in `options.out`, of each step the last line; a line that is none is left out.
[[nodiscard]] Report make_train_report(const TrainRecord& record);

}  // namespace weft::adapters
