#include "adapters/tasks/extract.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "generation/syntax/language.h"
#include "model/base/atomic_file.h"
#include "model/base/hash.h"

namespace weft::adapters {
namespace {

constexpr const char* kNothing = "nothing to learn from";

std::string reasons(const ExtractReport& report) {
  std::string text;
  for (const auto& [reason, files] : report.dropped) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", files, reason);
  }
  return text.empty() ? "none" : text;
}

void add(const Collection& collected, ExtractReport& report) {
  report.files += collected.files;
  report.documents += collected.documents.size();
  report.masked += collected.masked;
  for (const auto& [reason, files] : collected.dropped) report.dropped[reason] += files;
}

// Appends the documents' examples as lines, up to the limit.
Expected<void> append(const ExtractOptions& options, const Task& task, const Collection& collected,
                      const CancelFlag& cancel, ExtractReport& report, std::string& lines) {
  const generation::Language& language = generation::language_for("python", "");
  const std::size_t limit = options.limit == 0 ? SIZE_MAX : options.limit;
  for (const std::string& document : collected.documents) {
    if (cancel.cancelled()) return make_error("cancelled");
    if (report.examples == limit) break;
    Random random(options.seed, fnv1a(document));
    const auto examples = task.examples(language, document, random);
    if (examples.empty()) ++report.dropped[kNothing];
    for (const TaskExample& example : examples) {
      if (report.examples == limit) break;
      lines += to_json_line(example) + "\n";
      ++report.examples;
      ++report.labels[example.label];
    }
  }
  return {};
}

}  // namespace

Expected<ExtractReport> extract(const ExtractOptions& options, const ExtractProgress& progress,
                                const CancelFlag& cancel) {
  const Task* task = find_task(options.task);
  if (task == nullptr) return make_error("unknown task {}: there are {}", options.task, known_tasks());
  Collector collector(options.collect, cancel, progress);
  ExtractReport report;
  std::string lines;
  for (const std::string& source : options.sources) {
    const auto collected = collector.collect(source, Part::kTrain);
    if (!collected) return collected.error();
    add(*collected, report);
    const auto appended = append(options, *task, *collected, cancel, report, lines);
    if (!appended) return appended.error();
  }
  if (report.examples == 0) {
    return make_error("no examples of {} in {} files; dropped: {}", task->name, report.files, reasons(report));
  }
  const auto written = write_file_atomically(options.out, lines);
  if (!written) return written.error();
  return report;
}

std::string to_json(const ExtractReport& report) {
  const nlohmann::ordered_json json{{"files", report.files},   {"documents", report.documents},
                                    {"masked", report.masked}, {"examples", report.examples},
                                    {"labels", report.labels}, {"dropped", report.dropped}};
  return json.dump(2) + "\n";
}

std::string to_json_line(const TaskExample& example) {
  nlohmann::ordered_json json{{"prompt", example.prompt}, {"answer", example.answer}, {"label", example.label}};
  if (example.pair >= 0) json["pair"] = example.pair;
  return json.dump();
}

Expected<TaskExample> parse_json_line(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return make_error("not a JSON object");
  for (const char* name : {"prompt", "answer", "label"}) {
    if (!json.contains(name) || !json[name].is_string()) return make_error("no text called {}", name);
  }
  TaskExample example{json["prompt"], json["answer"], json["label"], -1};
  if (json.contains("pair")) {
    if (!json["pair"].is_number_integer()) return make_error("pair is not an integer");
    example.pair = json["pair"];
  }
  return example;
}

Expected<std::vector<TaskExample>> read_examples(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) return make_error("cannot read {}", path);
  std::vector<TaskExample> examples;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    auto example = parse_json_line(line);
    if (!example) return make_error("{} line {}: {}", path, number, example.error().message);
    examples.push_back(std::move(*example));
  }
  return examples;
}

}  // namespace weft::adapters
