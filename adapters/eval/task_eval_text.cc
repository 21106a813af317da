// What an evaluation found, as JSON and as text.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adapters/eval/task_eval.h"

namespace weft::adapters {
namespace {

nlohmann::ordered_json to_json_object(const Interval& interval) {
  return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}};
}

}  // namespace

std::string format_interval(const Interval& interval, Metric::Unit unit) {
  if (unit == Metric::Unit::kNumber) {
    return fmt::format("{:.3f} [{:.3f}, {:.3f}]", interval.value, interval.low, interval.high);
  }
  return fmt::format("{:.1f} % [{:.1f}, {:.1f}]", interval.value * 100, interval.low * 100, interval.high * 100);
}

std::string verdict_of(const Interval& difference) {
  if (difference.low > 0) return "better";
  return difference.high < 0 ? "worse" : "no difference to be seen";
}

std::string to_json(const TaskEvalReport& report) {
  nlohmann::ordered_json json = {{"task", report.task},
                                 {"model", report.model},
                                 {"adapter", report.adapter},
                                 {"examples", report.examples},
                                 {"threshold", report.threshold}};
  for (const Metric& metric : report.metrics) {
    json["metrics"].push_back({{"name", metric.name},
                               {"count", metric.count},
                               {"base", to_json_object(metric.base)},
                               {"adapter", to_json_object(metric.adapter)},
                               {"difference", to_json_object(metric.difference)}});
  }
  for (const LabelCount& label : report.labels) {
    json["labels"].push_back(
        {{"label", label.label}, {"count", label.count}, {"base", label.base}, {"adapter", label.adapter}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string describe(const TaskEvalReport& report) {
  std::string out = fmt::format("{} examples of {}; base {}, adapter {}\n", report.examples, report.task, report.model,
                                report.adapter);
  for (const Metric& metric : report.metrics) {
    out +=
        fmt::format("{}: {} without, {} with the adapter: {}\n", metric.name, format_interval(metric.base, metric.unit),
                    format_interval(metric.adapter, metric.unit), verdict_of(metric.difference));
  }
  return out;
}

}  // namespace weft::adapters
