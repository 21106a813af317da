#include "generation/completion/threshold.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

namespace weft::generation {
namespace {

using Json = nlohmann::ordered_json;

std::optional<ConfidenceFeatures> features_of(const LineLikelihood& lines) {
  if (lines.tokens == 0) return std::nullopt;
  const auto tokens = static_cast<double>(lines.tokens);
  return ConfidenceFeatures{1, lines.logprob, lines.worst_logprob, lines.logprob / tokens, std::log(tokens)};
}

Json to_json(const LogisticModel& model) {
  Json weights;
  for (std::size_t i = 0; i < kConfidenceFeatures; ++i) weights[kConfidenceFeatureNames[i]] = model.weights[i];
  return {{"weights", std::move(weights)}, {"least", model.least}};
}

Expected<double> number_in(const Json& object, const char* name) {
  if (!object.is_object() || !object.contains(name) || !object[name].is_number()) {
    return make_error("{}: expected a number", name);
  }
  return object[name].get<double>();
}

Expected<LogisticModel> parse_model(const Json& read) {
  if (!read.is_object() || !read.contains("weights")) return make_error("weights: expected an object");
  const Json& weights = read["weights"];
  LogisticModel model;
  for (std::size_t i = 0; i < kConfidenceFeatures; ++i) {
    const auto weight = number_in(weights, kConfidenceFeatureNames[i]);
    if (!weight) return make_error("weights: {}", weight.error().message);
    model.weights[i] = *weight;
  }
  if (weights.size() != kConfidenceFeatures) return make_error("weights: expected {} of them", kConfidenceFeatures);
  const auto least = number_in(read, "least");
  if (!least) return least.error();
  if (!(*least >= 0 && *least <= 1)) return make_error("least: expected a number from 0 to 1");
  model.least = *least;
  return model;
}

}  // namespace

std::optional<ConfidenceFeatures> first_line_features(const ScoreParts& parts) { return features_of(parts.first_line); }

std::optional<ConfidenceFeatures> further_lines_features(const ScoreParts& parts) {
  return features_of(parts.further_lines);
}

double probability(const ConfidenceFeatures& weights, const ConfidenceFeatures& features) {
  double sum = 0;
  for (std::size_t i = 0; i < kConfidenceFeatures; ++i) sum += weights[i] * features[i];
  return 1 / (1 + std::exp(-sum));
}

void add_confidence(ScoreParts& parts, const Calibration* calibration) {
  if (calibration == nullptr) return;
  if (const auto first = first_line_features(parts)) {
    parts.confidence = probability(calibration->first_line.weights, *first);
  }
  if (const auto further = further_lines_features(parts)) {
    parts.further_confidence = probability(calibration->further_lines.weights, *further);
  }
}

bool sure_enough(const ScoreParts& parts, const Calibration* calibration) {
  return calibration == nullptr || !parts.confidence || *parts.confidence >= calibration->first_line.least;
}

bool sure_of_further_lines(const ScoreParts& parts, const Calibration* calibration) {
  if (calibration == nullptr || !parts.further_confidence) return true;
  return *parts.further_confidence >= calibration->further_lines.least;
}

Expected<Calibration> parse_calibration(std::string_view json) {
  const Json read = Json::parse(json, nullptr, false);
  if (!read.is_object()) return make_error("no JSON object");
  const auto first = parse_model(read.value("first_line", Json()));
  if (!first) return make_error("first_line: {}", first.error().message);
  const auto further = parse_model(read.value("further_lines", Json()));
  if (!further) return make_error("further_lines: {}", further.error().message);
  return Calibration{*first, *further};
}

std::string to_json(const Calibration& calibration) {
  const Json json = {{"first_line", to_json(calibration.first_line)},
                     {"further_lines", to_json(calibration.further_lines)}};
  return json.dump(2) + "\n";
}

Expected<std::optional<Calibration>> load_calibration(const std::string& model_directory) {
  const auto path = std::filesystem::path(model_directory) / "confidence.json";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::optional<Calibration>();
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto calibration = parse_calibration(text);
  if (!calibration) return make_error("{}: {}", path.string(), calibration.error().message);
  return std::optional(*calibration);
}

}  // namespace weft::generation
