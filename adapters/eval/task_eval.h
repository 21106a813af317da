// How much an adapter does for its task: base and adapter on the same examples, through the engine that serves, with
// intervals. What detects is measured by its verdicts' probabilities, what answers by its answers. Deterministic.
// The thread that polls the engine.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "adapters/eval/eval_subject.h"
#include "adapters/eval/statistics.h"
#include "adapters/tasks/task_data.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"

namespace weft::adapters {

struct Metric {
  std::string name;        // "paired accuracy", "answers right", …
  Interval base, adapter;  // 95 %
  Interval difference;     // adapter - base, by paired bootstrap
  std::size_t count = 0;   // what it is a mean or a share of
  enum class Unit { kShare, kNumber } unit = Unit::kShare;
};

// Examples of one kind: how many were right.
struct LabelCount {
  std::string label;
  std::size_t count = 0, base = 0, adapter = 0;
};

struct EvalSample {
  std::string label, prompt, wanted;
  std::string base, adapter;  // the answers; where verdicts are measured, the probabilities
  bool base_right = false, adapter_right = false;
};

struct TaskEvalReport {
  std::string task, model, adapter;
  std::size_t examples = 0;
  double threshold = 0;  // at which precision and recall were taken
  std::vector<Metric> metrics;
  std::vector<LabelCount> labels;
  std::vector<EvalSample> samples;  // spread over the examples
};

struct TaskEvalHooks {
  std::function<void(std::size_t done, std::size_t all)> progress;  // may be empty; examples
  CancelFlag cancel{};
  std::size_t samples = 6;
};

// `examples` has at least one. Errors: what the engine says, "cancelled".
Expected<TaskEvalReport> evaluate_task(const Task& task, std::span<const TokenExample> examples,
                                       const EvalSubject& subject, const TaskEvalHooks& hooks);
[[nodiscard]] std::string to_json(const TaskEvalReport& report);   // one object, indented
[[nodiscard]] std::string describe(const TaskEvalReport& report);  // a line a metric, for a person

// "71.5 % [64.0, 78.0]" or "-1.204 [-1.310, -1.101]".
[[nodiscard]] std::string format_interval(const Interval& interval, Metric::Unit unit);
// "better", "worse" or "no difference to be seen": which side of zero all of the interval lies on.
[[nodiscard]] std::string verdict_of(const Interval& difference);

}  // namespace weft::adapters
