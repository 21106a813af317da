#include "adapters/train/train_report.h"

#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weft::adapters {
namespace {

struct Losses {
  std::map<double, double> training, held_out;  // by step
};

Losses read_log(const std::string& folder) {
  std::ifstream log(std::filesystem::path(folder) / "log.jsonl");
  Losses out;
  for (std::string line; std::getline(log, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("step") || !json["step"].is_number()) continue;
    const auto step = json["step"].get<double>();
    if (json.contains("loss") && json["loss"].is_number()) out.training[step] = json["loss"].get<double>();
    if (json.contains("held_out_loss") && json["held_out_loss"].is_number()) {
      out.held_out[step] = json["held_out_loss"].get<double>();
    }
  }
  return out;
}

std::vector<CurvePoint> points_of(const std::map<double, double>& values) {
  std::vector<CurvePoint> out;
  for (const auto& [step, value] : values) out.push_back({step, value});
  return out;
}

ReportTable run_table(const TrainOptions& options, const TrainReport& result) {
  const TrainPreset& preset = options.preset;
  ReportTable table{"Run", {"", ""}, {}};
  const auto add = [&](std::string name, std::string value) {
    table.rows.push_back({std::move(name), std::move(value)});
  };
  add("base", fmt::format("{} (sha256 {:.16}…)", result.info.base_name, result.info.base_sha256));
  add("preset", std::string(preset.name));
  add("trained", options.full ? fmt::format("all {} parameters", result.parameters)
                              : fmt::format("LoRA of rank {} on all linears, alpha {}: {} parameters", preset.rank,
                                            preset.alpha, result.parameters));
  add("learning rate", fmt::format("{:g}, AdamW", options.full ? preset.full_learning_rate : preset.learning_rate));
  add("steps", fmt::format("{} of about {} tokens, {} tokens in all{}", result.steps, preset.batch_tokens,
                           result.tokens, result.stopped_early ? "; stopped early" : ""));
  add("held-out loss", fmt::format("{:.4f} nats a token before, {:.4f} at step {}, which is kept", result.base_loss,
                                   result.best_loss, result.best_step));
  if (result.info.threshold > 0) add("threshold", fmt::format("{:.4f}", result.info.threshold));
  add("seed", fmt::format("{}", options.seed));
  return table;
}

ReportTable data_table(const TaskData& data) {
  ReportTable table{"Data", {"", ""}, {}};
  const auto add = [&](std::string name, std::size_t count) {
    table.rows.push_back({std::move(name), fmt::format("{}", count)});
  };
  add("files looked at", data.files);
  add("files trained on", data.train_files);
  add("files held out", data.held_out_files);
  add("examples trained on", data.train.size());
  add("examples held out", data.held_out.size());
  add("pieces masked that looked like keys", data.masked);
  for (const auto& [reason, count] : data.dropped_examples) add("examples dropped: " + reason, count);
  std::map<std::string, std::size_t> files;
  for (const DroppedFile& file : data.dropped_files) ++files[file.reason];
  for (const auto& [reason, count] : files) add("files dropped: " + reason, count);
  return table;
}

ReportTable label_table(const TaskEvalReport& evaluation) {
  ReportTable table{"Kinds of examples", {"kind", "held out", "right without the adapter", "right with it"}, {}};
  for (const LabelCount& label : evaluation.labels) {
    table.rows.push_back(
        {label.label, fmt::format("{}", label.count), fmt::format("{}", label.base), fmt::format("{}", label.adapter)});
  }
  return table;
}

// What the evaluation found goes first: it is what the training was for.
void add_evaluation(const TaskEvalReport& evaluation, double threshold, Report& out) {
  for (const Metric& metric : evaluation.metrics) {
    out.metrics.push_back({fmt::format("{} (of {})", metric.name, metric.count),
                           format_interval(metric.base, metric.unit), format_interval(metric.adapter, metric.unit),
                           format_interval(metric.difference, metric.unit), verdict_of(metric.difference)});
  }
  const ReportMetric& first = out.metrics.front();
  out.summary = fmt::format(
      "{}: {} with the adapter, {} without, on {} examples from files that it was not trained on: "
      "{}. {}",
      evaluation.metrics.front().name, first.adapter, first.base, evaluation.examples, first.verdict, out.summary);
  out.metrics_note = "In brackets: 95 % intervals, of shares Wilson's, of all else by paired bootstrap.";
  if (threshold > 0) {
    out.metrics_note += fmt::format(
        " The threshold of {:.4f} was chosen on these same examples, half of which have a bug: expect less precision "
        "on "
        "code as it is.",
        threshold);
  }
  out.tables.push_back(label_table(evaluation));
  for (const EvalSample& sample : evaluation.samples) {
    out.examples.push_back({sample.label + (sample.adapter_right ? ": right" : ": wrong"), sample.prompt, sample.wanted,
                            sample.base, sample.adapter});
  }
}

}  // namespace

Report make_train_report(const TrainRecord& record) {
  const auto& [options, result, evaluation, command] = record;
  Report out;
  out.title = fmt::format("weft: {} for {}", result.info.task, result.info.base_name);
  out.summary = fmt::format("The loss on held-out files is {:.4f} nats a token; it was {:.4f} before.",
                            result.best_loss, result.base_loss);
  out.command = command;
  const Losses losses = read_log(options.out);
  out.curves = {{"training loss", points_of(losses.training)}, {"held-out loss", points_of(losses.held_out)}};
  out.curves[1].points.insert(out.curves[1].points.begin(), {0, result.base_loss});
  out.x_label = "step";
  out.y_label = "nats a token";
  out.tables = {run_table(options, result), data_table(result.data)};
  if (evaluation != nullptr) add_evaluation(*evaluation, result.info.threshold, out);
  return out;
}

}  // namespace weft::adapters
