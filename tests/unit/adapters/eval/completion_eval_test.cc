#include "adapters/eval/completion_eval.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "adapters/eval/completion_rows.h"
#include "generation/completion/threshold.h"
#include "generation/memory/mixture.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_runner.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;

// Lines that do not begin alike, so that one who knows the text by heart is never in doubt.
constexpr std::string_view kText =
    "import alpha\n\ndef beta(gamma):\n    delta = gamma + 1\n    return delta * 2\n\nprint(beta(17))\n";

class CompletionEval : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / (std::string("weft_eval_") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, std::string_view text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  void use(test::Script script, std::optional<generation::Calibration> calibration = {}) {
    model::ModelConfig config;
    config.fim = {.prefix = "<fim_prefix>",
                  .suffix = "<fim_suffix>",
                  .middle = "<fim_middle>",
                  .layout = model::FimLayout::kPsm,
                  .stops = {"<|endoftext|>"}};
    runner_ = std::make_shared<test::FakeRunner>(std::move(script));
    engine_ =
        std::make_shared<generation::Engine>(runner_, tokenizer_, clock_, generation::EngineOptions{.threads = 0});
    generation::CompletionOptions options;
    options.cache_entries = 0;
    options.shows_unsure = true;
    options.memory = memory_;
    if (calibration) options.calibration = std::make_shared<const generation::Calibration>(*calibration);
    generation::MemoryWeights weights;
    constexpr std::size_t kCells = generation::kMemoryCells / generation::kMemorySources;
    std::fill_n(weights.shares.begin() + kCells * static_cast<std::size_t>(generation::MemorySource::kProject), kCells,
                1.0F);
    options.memory_weights = std::make_shared<const generation::MemoryWeights>(weights);
    service_ = std::make_unique<generation::CompletionService>(engine_, config, clock_, std::move(options));
  }

  Expected<CompletionEvalReport> evaluate(CompletionEvalOptions options) {
    if (options.files.empty()) options.directory = folder_.string();
    CompletionEvalHooks hooks;
    hooks.scorer = runner_.get();
    hooks.tokenizer = tokenizer_.get();
    hooks.clock = clock_.get();
    hooks.calibration = calibration_;
    hooks.progress = [this](double fraction) { progress_.push_back(fraction); };
    return evaluate_completion(options, *service_, hooks);
  }

  fs::path folder_;
  std::shared_ptr<test::ByteTokenizer> tokenizer_ = std::make_shared<test::ByteTokenizer>();
  std::shared_ptr<test::FakeClock> clock_ = std::make_shared<test::FakeClock>();
  std::shared_ptr<test::FakeRunner> runner_;
  std::shared_ptr<generation::Engine> engine_;
  std::unique_ptr<generation::CompletionService> service_;
  std::vector<double> progress_;
  const generation::Calibration* calibration_ = nullptr;
  generation::MemoryReach memory_ = generation::MemoryReach::kNothing;
};

const CompletionRow& row(const std::vector<CompletionRow>& rows, std::string_view direction, std::string_view place,
                         std::string_view language = "python") {
  const auto found = std::ranges::find_if(rows, [&](const CompletionRow& one) {
    return one.language == language && one.direction == direction && one.place == place;
  });
  WEFT_CHECK(found != rows.end());
  return *found;
}

TEST_F(CompletionEval, OfAModelThatKnowsTheTextIsPerfect) {
  write("a.py", kText);
  use(test::by_heart_script(std::string(kText)));
  // not at the beginning, which nobody can know
  const auto report = evaluate({.max_positions = 3, .max_lines = 0, .seed = 2});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->files, 1U);
  EXPECT_EQ(report->model, "fake-model");
  const auto rows = rows_of(*report);
  for (const char* direction : {"left to right", "infilling"}) {
    EXPECT_EQ(row(rows, direction, "line start").positions, 2U);
    EXPECT_EQ(row(rows, direction, "inside").positions, 1U);
    const CompletionRow& both = row(rows, direction, "all");
    EXPECT_EQ(both.positions, 3U);
    EXPECT_DOUBLE_EQ(both.answered_share, 1);
    EXPECT_DOUBLE_EQ(both.line_exact_match, 1);
    EXPECT_DOUBLE_EQ(both.mean_edit_similarity, 1);
    EXPECT_DOUBLE_EQ(both.shown_rate, 1);
    EXPECT_DOUBLE_EQ(both.precision_of_shown, 1);
    EXPECT_EQ(both.added_syntax_errors, 0U);
  }
  EXPECT_EQ(rows.back().positions, 6U);
  EXPECT_EQ(rows.back().language, "all");
  ASSERT_FALSE(progress_.empty());
  EXPECT_DOUBLE_EQ(progress_.back(), 1);
  EXPECT_TRUE(std::ranges::is_sorted(progress_));
  EXPECT_EQ(runner_->broken_plans(), 0U);
}

TEST_F(CompletionEval, OfAModelThatSaysNothingIsZero) {
  write("a.py", kText);
  use(test::reply_script(""));
  const auto report = evaluate({.max_lines = 2, .max_windows = 0});
  ASSERT_TRUE(report);
  const CompletionRow all = rows_of(*report).back();
  EXPECT_GT(all.positions, 0U);
  EXPECT_DOUBLE_EQ(all.answered_share, 0);
  EXPECT_DOUBLE_EQ(all.line_exact_match, 0);
  EXPECT_DOUBLE_EQ(all.mean_edit_similarity, 0);
  EXPECT_DOUBLE_EQ(all.shown_rate, 0);
  EXPECT_DOUBLE_EQ(all.characters_saved, 0);
  EXPECT_EQ(report->scored_tokens, 0U);
}

// Each line costs one key once the model can know where it is.
TEST_F(CompletionEval, TypesLinesKeyByKey) {
  write("a.py", kText);
  use(test::by_heart_script(std::string(kText)));
  const auto report = evaluate({.max_positions = 1, .max_lines = 6, .max_windows = 0});
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->lines.size(), 10U);
  const auto rows = rows_of(*report);
  const CompletionRow& infilling = row(rows, "infilling", "all");
  EXPECT_EQ(infilling.typed_lines, 5U);
  EXPECT_EQ(infilling.typed_characters, 12U + 16U + 17U + 16U + 15U);
  EXPECT_GT(infilling.characters_saved, 0.8);
  EXPECT_LT(infilling.characters_saved, 1);
  EXPECT_GT(infilling.lexical_tokens, 20U);
  EXPECT_GT(infilling.next_lexical_token_accuracy, 0.9);
}

TEST_F(CompletionEval, ShowsWhatTheCalibrationIsSureOf) {
  write("a.py", kText);
  use(test::by_heart_script(std::string(kText)));
  generation::Calibration calibration;
  calibration.first_line.least = 0.6;  // the weights are 0: a confidence of a half
  calibration_ = &calibration;
  use(test::by_heart_script(std::string(kText)), calibration);
  const auto report = evaluate({.max_positions = 3, .max_lines = 2, .max_windows = 0, .seed = 2});
  ASSERT_TRUE(report);
  const CompletionRow unsure = rows_of(*report).back();
  EXPECT_DOUBLE_EQ(unsure.line_exact_match, 1);
  EXPECT_DOUBLE_EQ(unsure.shown_rate, 0);
  EXPECT_DOUBLE_EQ(unsure.characters_saved, 0);
  calibration.first_line.least = 0.5;
  const auto sure = evaluate({.max_positions = 3, .max_lines = 2, .max_windows = 0, .seed = 2});
  ASSERT_TRUE(sure);
  EXPECT_DOUBLE_EQ(rows_of(*sure).back().shown_rate, 1);
}

TEST_F(CompletionEval, HasRowsByLanguage) {
  write("a.py", kText);
  write("b.ts", "const alpha = 1;\nlet beta = alpha;\n");
  use(test::reply_script("x"));
  const auto report = evaluate({.max_positions = 4, .max_lines = 2, .max_windows = 0});
  ASSERT_TRUE(report) << report.error().message;
  const auto rows = rows_of(*report);
  EXPECT_EQ(row(rows, "infilling", "all", "python").positions, 2U);
  EXPECT_EQ(row(rows, "infilling", "all", "javascript").positions, 2U);
  EXPECT_EQ(row(rows, "infilling", "all", "all").positions, 4U);
  EXPECT_EQ(row(rows, "infilling", "inside", "all").positions, 2U);
  const auto json = nlohmann::json::parse(to_json(*report, {.memory = "document", .places = true}));
  EXPECT_EQ(json["rows"].size(), 18U);
  EXPECT_EQ(json["places"].size(), 8U);
  EXPECT_EQ(json["memory"], "document");
  EXPECT_EQ(json["places"][0]["offered"], "x");
}

// The project's other files are remembered, the file's own rest is not.
TEST_F(CompletionEval, ReadsTheProjectBeforeItAsks) {
  constexpr std::string_view kShared = "import os\nalpha = first_of(beta, gamma)\nomega = last_of(epsilon, digamma)\n";
  write("one/a.py", kShared);
  write("one/b.py", "import re\n" + std::string(kShared));
  write("two/c.py", "delta = 1\nepsilon = 22\n");
  memory_ = generation::MemoryReach::kProject;
  use([](std::span<const TokenId>) { return std::vector<float>(test::ByteTokenizer::kVocabulary, 0.0F); });
  const auto report = evaluate({.max_positions = 6, .max_lines = 0, .max_windows = 0});
  ASSERT_TRUE(report) << report.error().message;
  std::size_t known = 0;
  for (const PlaceScore& place : report->places) {
    if (place.offset == 0) continue;
    const bool has_twin = place.path.ends_with("/one/a.py");
    known += has_twin ? 1 : 0;
    if (place.path.find("/one/") != std::string::npos && !has_twin) continue;
    EXPECT_EQ(place.exact, has_twin) << place.path << " " << place.offset << " " << place.reason << " "
                                     << name_of(place.direction);
  }
  EXPECT_GE(known, 2U);
}

TEST_F(CompletionEval, MeasuresBitsOfTheNextToken) {
  write("a.py", std::string(200, 'a') + "\n");
  // 'a' has logit ln 3 among 262 tokens of logit 0: probability 3 / 265.
  use([](std::span<const TokenId>) {
    std::vector<float> logits(test::ByteTokenizer::kVocabulary, 0.0F);
    logits['a'] = std::log(3.0F);
    return logits;
  });
  const auto report = evaluate({.max_lines = 0, .window_tokens = 101});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->scored_tokens, 100U);
  EXPECT_EQ(report->scored_bytes, 100U);
  EXPECT_NEAR(report->bits_per_byte, std::log2(265.0 / 3.0), 1e-6);
  EXPECT_DOUBLE_EQ(report->next_token_accuracy, 1);
  service_.reset();
  engine_.reset();
  EXPECT_EQ(runner_->sequences_held(), 0U);
}

TEST_F(CompletionEval, GivesTheSameForTheSameSeed) {
  for (const char* name : {"b.py", "sub/a.py", "c.py"}) write(name, kText);
  use(test::hashed_script());
  const auto first = evaluate({.max_positions = 5, .max_lines = 1, .window_tokens = 30, .seed = 7});
  use(test::hashed_script());
  const auto second = evaluate({.max_positions = 5, .max_lines = 1, .window_tokens = 30, .seed = 7});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->places.size(), 10U);
  const CompletionJson all{.memory = "none", .places = true};
  EXPECT_EQ(to_json(*first, all), to_json(*second, all));
  EXPECT_GT(first->bits_per_byte, 0);
}

TEST_F(CompletionEval, LeavesOutWhatIsTooLargeOrNotText) {
  write("a.py", kText);
  write("large.py", std::string(3000, 'x'));
  write("latin.py", "x = '\xE9'\n");
  write("notes.txt", kText);
  use(test::reply_script("x"));
  const auto report = evaluate({.limit_bytes = 2000, .max_windows = 0});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->files, 1U);
}

TEST_F(CompletionEval, SaysWhatIsWrongWithItsFiles) {
  use(test::reply_script("x"));
  auto report = evaluate({});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message,
            "no file of a language that is measured, of at most 1048576 bytes, in " + folder_.string());
  const std::string missing = (folder_ / "missing.py").string();
  report = evaluate({.files = {missing}});
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find(missing), std::string::npos);
  fs::remove_all(folder_);
  EXPECT_FALSE(evaluate({}));
}

TEST_F(CompletionEval, PassesAFailureOfTheModelOn) {
  write("a.py", kText);
  use(test::reply_script("x"));
  runner_->fail_at(0);
  const auto report = evaluate({});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "the device is gone");
}

TEST(CompletionEvalReport, CountsWhatIsShownAndHowMuchOfItIsRight) {
  CompletionEvalReport report;
  report.model = "m";
  const auto add = [&report](PlaceKind kind, bool shown, bool exact, std::string offered) {
    PlaceScore place{.language = "python", .kind = kind, .offered = std::move(offered), .shown = shown, .exact = exact};
    report.places.push_back(std::move(place));
  };
  add(PlaceKind::kLineStart, true, true, "a");
  add(PlaceKind::kLineStart, true, false, "b\nc");
  add(PlaceKind::kLineStart, false, true, "d");
  add(PlaceKind::kInside, false, false, "");
  report.lines.push_back({.language = "python", .characters = 30, .keys = 12, .tokens = 4, .right_tokens = 3});
  report.lines.push_back({.language = "python", .characters = 10, .keys = 10, .tokens = 4, .right_tokens = 1});
  const auto rows = rows_of(report);
  const CompletionRow& start = row(rows, "left to right", "line start");
  EXPECT_DOUBLE_EQ(start.shown_rate, 2.0 / 3);
  EXPECT_DOUBLE_EQ(start.precision_of_shown, 0.5);
  EXPECT_DOUBLE_EQ(start.line_exact_match, 2.0 / 3);
  EXPECT_EQ(start.further_lines, 1U);
  EXPECT_EQ(start.typed_lines, 0U);
  const CompletionRow& all = row(rows, "left to right", "all");
  EXPECT_DOUBLE_EQ(all.answered_share, 0.75);
  EXPECT_DOUBLE_EQ(all.characters_saved, 0.45);
  EXPECT_DOUBLE_EQ(all.next_lexical_token_accuracy, 0.5);
  const auto json = nlohmann::json::parse(to_json(report, {.memory = "project"}));
  EXPECT_EQ(json["model"], "m");
  EXPECT_EQ(json["total"]["positions"], 4);
  EXPECT_FALSE(json.contains("places"));
}

}  // namespace
}  // namespace weft::adapters
