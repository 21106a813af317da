#include "adapters/tasks/inspect.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adapters/data/indexed_dataset.h"
#include "adapters/tasks/extract.h"
#include "model/base/utf8.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSampleTokens = 120;  // of a document

// Indices of `samples` of `all`, evenly spread.
std::vector<std::size_t> spread(std::size_t samples, std::size_t all) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < std::min(samples, all); ++i) indices.push_back(i * all / std::min(samples, all));
  return indices;
}

Expected<InspectReport> inspect_examples(const InspectOptions& options) {
  const auto examples = read_examples(options.path);
  if (!examples) return examples.error();
  InspectReport report;
  report.kind = "examples";
  std::set<std::int64_t> pairs;
  for (const TaskExample& example : *examples) {
    ++report.labels[example.label];
    report.counts["prompt bytes"] += example.prompt.size();
    report.counts["answer bytes"] += example.answer.size();
    if (example.pair >= 0) pairs.insert(example.pair);
  }
  report.counts["examples"] = examples->size();
  report.counts["pairs"] = pairs.size();
  for (const std::size_t i : spread(options.samples, examples->size())) {
    const TaskExample& example = (*examples)[i];
    report.samples.push_back(fmt::format("[{}]\n{}<answer>\n{}", example.label, example.prompt, example.answer));
  }
  return report;
}

Expected<InspectReport> inspect_packed(const InspectOptions& options) {
  const auto tokenizer = model::load_tokenizer(options.path);
  if (!tokenizer) return tokenizer.error();
  InspectReport report;
  report.kind = "packed";
  for (const std::string part : {"train", "valid"}) {
    const auto data = IndexedDataset::open((fs::path(options.path) / part).string());
    if (!data) return data.error();
    report.counts[part + " documents"] = data->documents();
    report.counts[part + " tokens"] = data->total_tokens();
    if (part != "train") continue;
    for (const std::size_t i : spread(options.samples, data->documents())) {
      std::string text;
      for (const std::uint16_t id : data->tokens(i).first(std::min(kSampleTokens, data->tokens(i).size()))) {
        text += (*tokenizer)->bytes(TokenId(id));
      }
      report.samples.push_back(text.substr(0, utf8_valid_prefix(text)));
    }
  }
  return report;
}

}  // namespace

Expected<InspectReport> inspect(const InspectOptions& options) {
  std::error_code error;
  return fs::is_directory(options.path, error) ? inspect_packed(options) : inspect_examples(options);
}

std::string to_json(const InspectReport& report) {
  const nlohmann::ordered_json json{
      {"kind", report.kind}, {"counts", report.counts}, {"labels", report.labels}, {"samples", report.samples}};
  return json.dump(2) + "\n";
}

}  // namespace weft::adapters
