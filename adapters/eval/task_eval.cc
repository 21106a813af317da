#include "adapters/eval/task_eval.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "adapters/eval/answers.h"
#include "adapters/eval/detection.h"

namespace weft::adapters {
namespace {

using Sample = std::span<const std::size_t>;

// What one model made of the examples, in their order.
struct Scores {
  std::vector<Detection> detections;    // of a task that detects
  std::vector<std::string> answers;     // of one that answers
  std::vector<double> right;            // 1: the answer, or the verdict at one half, is right
  std::vector<double> log_probability;  // of the wanted answer, a token
};

// An answer may be longer than the wanted one and right, but not by much.
std::size_t answer_limit(const Task& task, const TokenExample& example) {
  return std::min(task.max_answer_tokens, 2 * example.answer.size() + 16);
}

class Examiner {
 public:
  Examiner(const Task& task, std::span<const TokenExample> examples, const EvalSubject& subject,
           const TaskEvalHooks& hooks)
      : task_(task),
        examples_(examples),
        hooks_(hooks),
        answers_(*subject.engine),
        positive_(subject.engine->tokenizer().encode(task.verdicts.positive)),
        negative_(subject.engine->tokenizer().encode(task.verdicts.negative)) {}

  // Both models see an example before either sees the next.
  Expected<void> run(AdapterId adapter, Scores& base_scores, Scores& adapter_scores) {
    for (std::size_t i = 0; i < examples_.size(); ++i) {
      if (hooks_.cancel.cancelled()) return make_error("cancelled");
      if (hooks_.progress) hooks_.progress(i, examples_.size());
      if (auto asked = ask(examples_[i], AdapterId{}, base_scores); !asked) return asked;
      if (auto asked = ask(examples_[i], adapter, adapter_scores); !asked) return asked;
    }
    if (hooks_.progress) hooks_.progress(examples_.size(), examples_.size());
    return {};
  }

 private:
  Expected<void> ask(const TokenExample& example, AdapterId adapter, Scores& scores) {
    return task_.verdicts.detects() ? detect(example, adapter, scores) : answer(example, adapter, scores);
  }

  Expected<void> detect(const TokenExample& example, AdapterId adapter, Scores& scores) {
    const auto positive = answers_.log_probability(example.prompt, positive_, adapter);
    if (!positive) return positive.error();
    const auto negative = answers_.log_probability(example.prompt, negative_, adapter);
    if (!negative) return negative.error();
    const double probability = verdict_probability(*positive, *negative);
    const bool there = is_positive(task_, example);
    scores.detections.push_back({probability, there, example.text.pair});
    scores.right.push_back((probability > 0.5) == there ? 1 : 0);
    return {};
  }

  Expected<void> answer(const TokenExample& example, AdapterId adapter, Scores& scores) {
    const auto wanted = answers_.log_probability(example.prompt, example.answer, adapter);
    if (!wanted) return wanted.error();
    auto best = answers_.best(example.prompt, answer_limit(task_, example), adapter);
    if (!best) return best.error();
    scores.log_probability.push_back(*wanted / static_cast<double>(example.answer.size()));
    scores.right.push_back(task_.correct(example.text, *best) ? 1 : 0);
    scores.answers.push_back(*std::move(best));
    return {};
  }

  const Task& task_;
  std::span<const TokenExample> examples_;
  const TaskEvalHooks& hooks_;
  Answers answers_;
  std::vector<TokenId> positive_, negative_;
};

std::size_t ones(std::span<const double> values) { return static_cast<std::size_t>(std::ranges::count(values, 1.0)); }

Metric share(std::string name, std::span<const double> base, std::span<const double> adapter) {
  return {.name = std::move(name),
          .base = wilson(ones(base), base.size()),
          .adapter = wilson(ones(adapter), adapter.size()),
          .difference = difference_interval(base, adapter),
          .count = base.size()};
}

Metric mean(std::string name, std::span<const double> base, std::span<const double> adapter) {
  return {.name = std::move(name),
          .base = mean_interval(base),
          .adapter = mean_interval(adapter),
          .difference = difference_interval(base, adapter),
          .count = base.size(),
          .unit = Metric::Unit::kNumber};
}

using OfDetections = std::function<double(std::span<const Detection>)>;

// A number that only all detections together have.
Metric whole(std::string name, const Scores& base, const Scores& adapter, const OfDetections& statistic) {
  const auto of = [&](const Scores& scores, Sample sample) {
    std::vector<Detection> chosen;
    for (const std::size_t i : sample) chosen.push_back(scores.detections[i]);
    return statistic(chosen);
  };
  const std::size_t n = base.detections.size();
  return {.name = std::move(name),
          .base = bootstrap(n, [&](Sample sample) { return of(base, sample); }),
          .adapter = bootstrap(n, [&](Sample sample) { return of(adapter, sample); }),
          .difference = bootstrap(n, [&](Sample sample) { return of(adapter, sample) - of(base, sample); }),
          .count = n,
          .unit = Metric::Unit::kNumber};
}

double ratio(std::size_t part, std::size_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

std::vector<Metric> detection_metrics(const Scores& base, const Scores& adapter, double threshold) {
  std::vector<Metric> out;
  const auto base_pairs = paired_outcomes(base.detections), adapter_pairs = paired_outcomes(adapter.detections);
  out.push_back(share("paired accuracy", base_pairs, adapter_pairs));
  out.push_back(whole("area under the curve", base, adapter, area_under_curve));
  const Shown b = shown_at(base.detections, threshold), a = shown_at(adapter.detections, threshold);
  Metric precision = whole("precision at the threshold", base, adapter, [threshold](auto detections) {
    const Shown shown = shown_at(detections, threshold);
    return ratio(shown.right, shown.shown);
  });
  precision.base = wilson(b.right, b.shown);
  precision.adapter = wilson(a.right, a.shown);
  precision.count = a.shown;
  Metric recall = whole("recall at the threshold", base, adapter, [threshold](auto detections) {
    const Shown shown = shown_at(detections, threshold);
    return ratio(shown.right, shown.there);
  });
  recall.base = wilson(b.right, b.there);
  recall.adapter = wilson(a.right, a.there);
  recall.count = a.there;
  precision.unit = recall.unit = Metric::Unit::kShare;
  out.push_back(std::move(precision));
  out.push_back(std::move(recall));
  return out;
}

std::vector<LabelCount> count_labels(std::span<const TokenExample> examples, const Scores& base,
                                     const Scores& adapter) {
  std::map<std::string, LabelCount> by_label;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    LabelCount& row = by_label[examples[i].text.label];
    row.label = examples[i].text.label;
    ++row.count;
    row.base += base.right[i] == 1 ? 1 : 0;
    row.adapter += adapter.right[i] == 1 ? 1 : 0;
  }
  std::vector<LabelCount> out;
  for (auto& [label, row] : by_label) out.push_back(std::move(row));
  return out;
}

std::string said(const Scores& scores, std::size_t i) {
  return scores.answers.empty() ? fmt::format("{:.3f}", scores.detections[i].probability) : scores.answers[i];
}

std::vector<EvalSample> choose_samples(std::span<const TokenExample> examples, const Scores& base,
                                       const Scores& adapter, std::size_t count) {
  std::vector<EvalSample> out;
  const std::size_t used = std::min(count, examples.size());
  for (std::size_t k = 0; k < used; ++k) {
    const std::size_t i = k * examples.size() / used;
    const TaskExample& text = examples[i].text;
    out.push_back({text.label, text.prompt, text.answer, said(base, i), said(adapter, i), base.right[i] == 1,
                   adapter.right[i] == 1});
  }
  return out;
}

}  // namespace

Expected<TaskEvalReport> evaluate_task(const Task& task, std::span<const TokenExample> examples,
                                       const EvalSubject& subject, const TaskEvalHooks& hooks) {
  if (examples.empty()) return make_error("no examples of {}", task.name);
  Scores base, adapter;
  if (auto run = Examiner(task, examples, subject, hooks).run(subject.adapter, base, adapter); !run) return run.error();
  TaskEvalReport report;
  report.task = task.name;
  report.model = subject.engine->model_info().name;
  report.adapter = subject.info.name;
  report.examples = examples.size();
  report.threshold = subject.info.threshold;
  if (task.verdicts.detects()) {
    report.metrics = detection_metrics(base, adapter, report.threshold);
  } else {
    report.metrics.push_back(share("answers right", base.right, adapter.right));
    report.metrics.push_back(
        mean("log-probability of the wanted answer, a token", base.log_probability, adapter.log_probability));
  }
  report.labels = count_labels(examples, base, adapter);
  report.samples = choose_samples(examples, base, adapter, hooks.samples);
  return report;
}

}  // namespace weft::adapters
