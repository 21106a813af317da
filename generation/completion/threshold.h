// When a suggestion is sure enough to be shown to somebody who did not ask, and how much of it. Pure but for reading a
// file.
//
// The confidence is the probability that the first line of the suggestion is what would have been written, by a
// logistic regression on how likely the model, with its memory, held the line's tokens.
// Another says the same of the lines that follow, where the first one is right. Models differ in how sure they are of
// themselves, so each comes with its own: `weft eval completion --fit-threshold` fits them to held-out files, and they
// lie beside the weights as confidence.json. A model without one shows what it has.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "generation/completion/completion.h"
#include "model/base/expected.h"

namespace weft::generation {

constexpr std::size_t kConfidenceFeatures = 5;
using ConfidenceFeatures = std::array<double, kConfidenceFeatures>;

// What the regressions read of a suggestion; the names are those of confidence.json.
constexpr std::array<const char*, kConfidenceFeatures> kConfidenceFeatureNames = {"bias", "logprob", "worst_logprob",
                                                                                  "mean_logprob", "log_tokens"};
// None where nothing is known of the tokens, or there are none.
[[nodiscard]] std::optional<ConfidenceFeatures> first_line_features(const ScoreParts& parts);
[[nodiscard]] std::optional<ConfidenceFeatures> further_lines_features(const ScoreParts& parts);

struct LogisticModel {
  ConfidenceFeatures weights{};
  double least = 0;  // the confidence that is enough
};
[[nodiscard]] double probability(const ConfidenceFeatures& weights, const ConfidenceFeatures& features);

struct Calibration {
  LogisticModel first_line{}, further_lines{};
};

// Adds what the calibration says to the parts. Null: nothing.
void add_confidence(ScoreParts& parts, const Calibration* calibration);
// Nothing speaks against it where the model is not calibrated, or nothing is known of the tokens.
[[nodiscard]] bool sure_enough(const ScoreParts& parts, const Calibration* calibration);
[[nodiscard]] bool sure_of_further_lines(const ScoreParts& parts, const Calibration* calibration);

// confidence.json. Errors name what is wrong: no JSON, other features than these, a weight that is no number.
Expected<Calibration> parse_calibration(std::string_view json);
[[nodiscard]] std::string to_json(const Calibration& calibration);
// The model's; nothing where its folder has no confidence.json. Error: that of parse_calibration, with the path.
Expected<std::optional<Calibration>> load_calibration(const std::string& model_directory);

}  // namespace weft::generation
