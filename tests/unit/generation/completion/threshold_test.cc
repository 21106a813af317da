#include "generation/completion/threshold.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/generation/completion/rig.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

Calibration some_calibration() {
  Calibration calibration;
  calibration.first_line = {.weights = {0.5, 1, 0.25, 2, -0.5}, .least = 0.4};
  calibration.further_lines = {.weights = {0.1, 0.5, 0, 0, 0}, .least = 0.6};
  return calibration;
}

ScoreParts some_parts() {
  ScoreParts parts;
  parts.first_line = {.tokens = 4, .logprob = -2, .worst_logprob = -1};
  parts.further_lines = {.tokens = 8, .logprob = -4, .worst_logprob = -2};
  return parts;
}

TEST(Threshold, IsALogisticRegressionOnTheLines) {
  ScoreParts parts = some_parts();
  const Calibration calibration = some_calibration();
  add_confidence(parts, &calibration);
  const double sum = 0.5 - 2 - 0.25 - 1 - 0.5 * std::log(4);
  EXPECT_NEAR(parts.confidence.value(), 1 / (1 + std::exp(-sum)), 1e-9);
  EXPECT_NEAR(parts.further_confidence.value(), 1 / (1 + std::exp(1.9)), 1e-9);
  EXPECT_FALSE(sure_enough(parts, &calibration));
  EXPECT_FALSE(sure_of_further_lines(parts, &calibration));
  parts.confidence = 0.41;
  parts.further_confidence = 0.61;
  EXPECT_TRUE(sure_enough(parts, &calibration));
  EXPECT_TRUE(sure_of_further_lines(parts, &calibration));
}

TEST(Threshold, WithoutACalibrationOrTokensNothingIsKeptBack) {
  ScoreParts parts = some_parts();
  add_confidence(parts, nullptr);
  EXPECT_FALSE(parts.confidence);
  EXPECT_TRUE(sure_enough(parts, nullptr));
  EXPECT_TRUE(sure_of_further_lines(parts, nullptr));
  ScoreParts unknown;
  const Calibration calibration = some_calibration();
  add_confidence(unknown, &calibration);
  EXPECT_FALSE(unknown.confidence);
  EXPECT_TRUE(sure_enough(unknown, &calibration));
}

TEST(Threshold, IsReadAsItWasWritten) {
  const Calibration calibration = some_calibration();
  const auto read = parse_calibration(to_json(calibration));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->first_line.weights, calibration.first_line.weights);
  EXPECT_EQ(read->first_line.least, 0.4);
  EXPECT_EQ(read->further_lines.weights, calibration.further_lines.weights);
}

TEST(Threshold, RefusesAnotherTable) {
  const auto refused = [](std::string json) { return parse_calibration(json).error().message; };
  EXPECT_EQ(refused("nothing"), "no JSON object");
  EXPECT_EQ(refused("{}"), "first_line: weights: expected an object");
  std::string json = to_json(some_calibration());
  const std::size_t least = json.find("0.4");
  EXPECT_EQ(refused(json.substr(0, least) + "1.4" + json.substr(least + 3)),
            "first_line: least: expected a number from 0 to 1");
  const std::size_t name = json.find("log_tokens");
  EXPECT_EQ(refused(json.substr(0, name) + "tokens" + json.substr(name + 10)),
            "first_line: weights: log_tokens: expected a number");
  const std::size_t first = json.find("\"bias\"");
  EXPECT_EQ(refused(json.substr(0, first) + "\"other\": 1," + json.substr(first)),
            "first_line: weights: expected 5 of them");
}

TEST(Threshold, LiesBesideTheWeights) {
  const fs::path folder = fs::path(::testing::TempDir()) / "calibration";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto none = load_calibration(folder.string());
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  std::ofstream(folder / "confidence.json") << to_json(some_calibration());
  const auto some = load_calibration(folder.string());
  ASSERT_TRUE(some && *some);
  EXPECT_EQ((*some)->first_line.least, 0.4);
  std::ofstream(folder / "confidence.json") << "{}";
  const auto bad = load_calibration(folder.string());
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("confidence.json: first_line"), std::string::npos);
  fs::remove_all(folder);
}

CompletionOptions with(Calibration calibration) {
  CompletionOptions options;
  options.calibration = std::make_shared<const Calibration>(calibration);
  return options;
}

// All weights are 0: a confidence of a half.
TEST(Threshold, DecidesWhatIsShownUnasked) {
  Calibration calibration;
  calibration.first_line.least = 0.4;
  EXPECT_EQ(test::Rig(test::reply_script("1"), with(calibration)).text_at("x = ^\n"), "1");
  calibration.first_line.least = 0.6;
  const test::Rig unsure(test::reply_script("1"), with(calibration));
  EXPECT_EQ(unsure.text_at("x = ^\n"), "<unsure>");
  auto asked = test::request_at("x = ^\n");
  asked.trigger = Trigger::kInvoked;
  EXPECT_FALSE(unsure.complete(asked).items.empty());
}

// The tokens so far are known when the deadline cuts.
TEST(Threshold, DecidesAtTheDeadlineToo) {
  Calibration calibration;
  calibration.first_line.least = 0.6;
  CompletionOptions options = with(calibration);
  options.first_answer_ms = 1;
  const auto clock = std::make_shared<test::FakeClock>();
  const test::Rig rig(test::reply_script("x = 1\n    y = 2\n    return x\n\n"), {}, model::FimLayout::kPsm,
                      std::make_shared<test::ByteTokenizer>(),
                      [clock] { clock->advance(std::chrono::milliseconds(50)); });
  CompletionService service(rig.engine, test::fim_config(model::FimLayout::kPsm), clock, options);
  EXPECT_EQ(service.complete_now(test::request_at("def f():\n    ^\n"))->reason, "unsure");
}

TEST(Threshold, DecidesHowManyLinesAreShown) {
  Calibration calibration;
  calibration.further_lines.least = 0.4;
  const std::string reply = "x = 1\n    y = 2\n";
  EXPECT_EQ(test::Rig(test::reply_script(reply), with(calibration)).text_at("def f():\n    ^"), "x = 1\n    y = 2");
  calibration.further_lines.least = 0.6;
  const test::Rig unsure(test::reply_script(reply), with(calibration));
  EXPECT_EQ(unsure.text_at("def f():\n    ^"), "x = 1");
  auto asked = test::request_at("def f():\n    ^");
  asked.trigger = Trigger::kInvoked;
  EXPECT_EQ(unsure.complete(asked).items.front().text, "x = 1\n    y = 2");
}

}  // namespace
}  // namespace weft::generation
