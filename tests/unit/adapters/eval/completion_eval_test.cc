#include "adapters/eval/completion_eval.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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

  void use(test::Script script) {
    model::ModelConfig config;
    config.fim = {.prefix = "<fim_prefix>",
                  .suffix = "<fim_suffix>",
                  .middle = "<fim_middle>",
                  .layout = model::FimLayout::kPsm,
                  .stops = {"<|endoftext|>"}};
    runner_ = std::make_shared<test::FakeRunner>(std::move(script));
    engine_ =
        std::make_shared<generation::Engine>(runner_, tokenizer_, clock_, generation::EngineOptions{.threads = 0});
    service_ = std::make_unique<generation::CompletionService>(engine_, config, clock_);
  }

  Expected<CompletionEvalReport> evaluate(CompletionEvalOptions options) {
    if (options.files.empty()) options.directory = folder_.string();
    CompletionEvalHooks hooks;
    hooks.scorer = runner_.get();
    hooks.tokenizer = tokenizer_.get();
    hooks.clock = clock_.get();
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
};

TEST_F(CompletionEval, OfAModelThatKnowsTheTextIsPerfect) {
  write("a.py", kText);
  use(test::by_heart_script(std::string(kText)));
  const auto report = evaluate({.places_per_file = 3, .seed = 2});  // not at the beginning, which nobody can know
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->files, 1U);
  EXPECT_EQ(report->positions, 3U);
  EXPECT_EQ(report->answered, 3U);
  EXPECT_DOUBLE_EQ(report->line_exact_match, 1);
  EXPECT_DOUBLE_EQ(report->mean_edit_similarity, 1);
  EXPECT_EQ(report->model, "fake-model");
  ASSERT_FALSE(progress_.empty());
  EXPECT_DOUBLE_EQ(progress_.back(), 1);
  EXPECT_TRUE(std::ranges::is_sorted(progress_));
  EXPECT_EQ(runner_->broken_plans(), 0U);
}

TEST_F(CompletionEval, OfAModelThatSaysNothingIsZero) {
  write("a.py", kText);
  use(test::reply_script(""));
  const auto report = evaluate({.max_windows = 0});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->answered, 0U);
  EXPECT_DOUBLE_EQ(report->answered_share, 0);
  EXPECT_DOUBLE_EQ(report->line_exact_match, 0);
  EXPECT_DOUBLE_EQ(report->mean_edit_similarity, 0);
  EXPECT_EQ(report->scored_tokens, 0U);
}

TEST_F(CompletionEval, MeasuresBitsOfTheNextToken) {
  write("a.py", std::string(200, 'a') + "\n");
  // 'a' has logit ln 3 among 262 tokens of logit 0: probability 3 / 265.
  use([](std::span<const TokenId>) {
    std::vector<float> logits(test::ByteTokenizer::kVocabulary, 0.0F);
    logits['a'] = std::log(3.0F);
    return logits;
  });
  const auto report = evaluate({.window_tokens = 101});
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
  const auto first = evaluate({.max_positions = 5, .window_tokens = 30, .seed = 7});
  use(test::hashed_script());
  const auto second = evaluate({.max_positions = 5, .window_tokens = 30, .seed = 7});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->positions, 5U);
  EXPECT_EQ(to_json(*first), to_json(*second));
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
  EXPECT_EQ(report.error().message, "no Python file of at most 1048576 bytes in " + folder_.string());
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

TEST(CompletionEvalReport, IsJson) {
  CompletionEvalReport report;
  report.model = "m";
  report.positions = 4;
  report.line_exact_match = 0.25;
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["model"], "m");
  EXPECT_EQ(json["positions"], 4);
  EXPECT_EQ(json["line_exact_match"], 0.25);
}

TEST(EditDistance, CountsInsertionsDeletionsAndReplacements) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3U);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2U);
}

TEST(ChoosePlaces, AreHalfAfterTheIndentationAndHalfInside) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "    naïve_name = 'é'  \n\n";
  const auto places = choose_places(text, 20, 3);
  ASSERT_EQ(places.size(), 20U);
  EXPECT_TRUE(std::ranges::is_sorted(places));
  EXPECT_EQ(std::ranges::adjacent_find(places), places.end());
  std::size_t at_indentation = 0;
  for (const std::size_t place : places) {
    const std::size_t line = text.rfind('\n', place) + 1;
    EXPECT_GE(place - line, 4U);
    EXPECT_LT(place - line, 24U);  // before the line's last character
    EXPECT_NE(static_cast<unsigned char>(text[place]) & 0xC0U, 0x80U);
    if (place - line == 4) ++at_indentation;
  }
  EXPECT_EQ(at_indentation, 10U);
  EXPECT_EQ(choose_places(text, 20, 3), places);
  EXPECT_NE(choose_places(text, 20, 4), places);
}

TEST(ChoosePlaces, AreAsManyAsThereAre) {
  EXPECT_TRUE(choose_places("", 4, 1).empty());
  EXPECT_TRUE(choose_places("\n  \n\n", 4, 1).empty());
  EXPECT_EQ(choose_places("x\n", 4, 1).size(), 1U);
}

}  // namespace
}  // namespace weft::adapters
