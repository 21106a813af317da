// EncoderDecoderRunner: however a sequence came to its tokens, it continues as one that was given the same source and
// the same answer at once.
#include "model/encoder_decoder_runner.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/div.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/byte_tokenizer.h"
#include "tests/support/engine_harness.h"

namespace weft::model {
namespace {

using ::testing::HasSubstr;

constexpr const char* kConfig = R"({
  "architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "vocab_size": 263, "d_model": 32, "d_kv": 8,
  "d_ff": 48, "num_layers": 2, "num_heads": 4, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false,
  "n_positions": 64, "relative_attention_num_buckets": 8, "relative_attention_max_distance": 16, "eos_token_id": 260
})";

std::shared_ptr<EncoderDecoderRunner> make_runner() {
  const auto config = parse_model_config(kConfig, "tiny");
  WEFT_CHECK(config.has_value());
  at::Generator random = at::make_generator<at::CPUGeneratorImpl>(3);
  const auto weights = [&random](const WeightSpec& spec) -> Expected<at::Tensor> {
    if (spec.shape.size() == 1) return at::ones(spec.shape);
    return at::div(at::randn(spec.shape, random), std::sqrt(static_cast<double>(spec.shape.back())) / 2);
  };
  const auto communicator = std::make_shared<SoloCommunicator>();
  auto model = EncoderDecoder::bind(*config, weights, *communicator);
  WEFT_CHECK(model.has_value());
  const RunnerInfo info{.name = "tiny",
                        .device = "cpu",
                        .dtype = "fp32",
                        .vocabulary = static_cast<std::size_t>(config->vocabulary),
                        .max_positions = static_cast<std::size_t>(config->max_positions),
                        .parameters = config->parameters()};
  return std::make_shared<EncoderDecoderRunner>(*config, *std::move(model), communicator, info, at::kFloat, 1);
}

using Tokens = std::vector<TokenId>;

Tokens tokens(std::string_view text) { return test::ByteTokenizer().encode(text); }

class EncoderDecoderRunnerTest : public ::testing::Test {
 protected:
  // Logits after the part's last token.
  std::vector<float> step(std::uint64_t id, std::int32_t start, const Tokens& part, std::vector<Fork> forks = {}) {
    const auto result =
        runner_->step({.sequences = {{SequenceId(id), Position(start), part}}, .forks = std::move(forks)});
    EXPECT_TRUE(result) << result.error().message;
    return result ? result->logits : std::vector<float>(1);
  }
  void feed(std::uint64_t id, std::int32_t start, const Tokens& part) {
    const auto result = runner_->step({.sequences = {{SequenceId(id), Position(start), part, /*logits=*/0}}});
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_TRUE(result->logits.empty());
  }
  std::string error_of(const StepPlan& plan) {
    const auto result = runner_->step(plan);
    EXPECT_FALSE(result);
    return result ? "" : result.error().message;
  }
  // What a fresh sequence says after this source and this answer.
  static std::vector<float> fresh(std::string_view source, std::string_view answer) {
    const auto runner = make_runner();
    auto result = runner->step({.sequences = {{SequenceId(1), Position(0), tokens(source)}}});
    WEFT_CHECK(result.has_value());
    if (answer.empty()) return result->logits;
    const auto start = static_cast<std::int32_t>(tokens(source).size());
    result = runner->step({.sequences = {{SequenceId(1), Position(start), tokens(answer)}}});
    WEFT_CHECK(result.has_value());
    return result->logits;
  }
  static void expect_same(const std::vector<float>& actual, const std::vector<float>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    float largest = 0;
    for (std::size_t i = 0; i < actual.size(); ++i) largest = std::max(largest, std::abs(actual[i] - expected[i]));
    EXPECT_LT(largest, 1e-4F);
  }

  const std::shared_ptr<EncoderDecoderRunner> runner_ = make_runner();
};

TEST_F(EncoderDecoderRunnerTest, ASourceMayComeInChunks) {
  feed(1, 0, tokens("add "));
  feed(1, 4, tokens("two"));
  expect_same(step(1, 7, tokens(" numbers")), fresh("add two numbers", ""));
  feed(1, 15, tokens("def"));
  expect_same(step(1, 18, tokens(" a")), fresh("add two numbers", "def a"));
}

TEST_F(EncoderDecoderRunnerTest, SourceAndAnswerAreNotTheSame) {
  const auto divided = fresh("add two", " numbers"), whole = fresh("add two numbers", "");
  float largest = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) largest = std::max(largest, std::abs(divided[i] - whole[i]));
  EXPECT_GT(largest, 0.01F);
}

TEST_F(EncoderDecoderRunnerTest, GoesBackInTheAnswer) {
  step(1, 0, tokens("add"));
  step(1, 3, tokens("def f(x)"));
  expect_same(step(1, 7, tokens("g")), fresh("add", "def g"));
  expect_same(step(1, 3, tokens("x")), fresh("add", "x"));
}

TEST_F(EncoderDecoderRunnerTest, GoesBackInTheSource) {
  step(1, 0, tokens("add two"));
  step(1, 7, tokens("def"));
  expect_same(step(1, 4, tokens("three")), fresh("add three", ""));
  expect_same(step(1, 9, tokens("def")), fresh("add three", "def"));
  // Its last token again, for the logits: the same source.
  expect_same(step(1, 8, tokens("e")), fresh("add three", ""));
  expect_same(step(1, 9, tokens("x")), fresh("add three", "x"));
}

TEST_F(EncoderDecoderRunnerTest, ForksGoTheirOwnWays) {
  step(1, 0, tokens("add two"));
  step(1, 7, tokens("def"));
  const std::vector<Fork> forks = {{SequenceId(1), SequenceId(2), Position(7)},
                                   {SequenceId(1), SequenceId(3), Position(9)},
                                   {SequenceId(1), SequenceId(4), Position(3)}};
  expect_same(step(2, 7, tokens("x"), forks), fresh("add two", "x"));
  expect_same(step(3, 9, tokens("y")), fresh("add two", "dey"));
  expect_same(step(4, 3, tokens(" one")), fresh("add one", ""));
  expect_same(step(1, 10, tokens(" f")), fresh("add two", "def f"));
  ASSERT_TRUE(runner_->step({.sequences = {}, .released = {SequenceId(1)}}));
  expect_same(step(2, 8, tokens("z")), fresh("add two", "xz"));
}

TEST_F(EncoderDecoderRunnerTest, SequencesOfOneStepDoNotSeeEachOther) {
  step(1, 0, tokens("first"));
  const auto result = runner_->step({.sequences = {{SequenceId(1), Position(5), tokens("def")},
                                                   {SequenceId(2), Position(0), tokens("open source"), false},
                                                   {SequenceId(3), Position(0), tokens("third source")}}});
  ASSERT_TRUE(result) << result.error().message;
  const auto row = [&](std::size_t i) { return std::vector<float>(result->row(i).begin(), result->row(i).end()); };
  ASSERT_EQ(result->logits.size(), 2 * result->vocabulary);
  expect_same(row(0), fresh("first", "def"));
  expect_same(row(1), fresh("third source", ""));
  expect_same(step(2, 11, tokens("!")), fresh("open source!", ""));
}

TEST_F(EncoderDecoderRunnerTest, RefusesWhatItCannotDoAndChangesNothing) {
  step(1, 0, tokens("add"));
  EXPECT_THAT(error_of({.sequences = {{SequenceId(1), Position(5), tokens("x")}}}), HasSubstr("holds 3 tokens"));
  EXPECT_THAT(error_of({.sequences = {{SequenceId(1), Position(0), tokens(std::string(65, 'x'))}}}),
              HasSubstr("the model takes 64"));
  EXPECT_THAT(error_of({.sequences = {{SequenceId(1), Position(3), {TokenId(263)}}}}), HasSubstr("vocabulary of 263"));
  EXPECT_THAT(error_of({.sequences = {{SequenceId(1), Position(3), {}}}}), HasSubstr("no tokens"));
  EXPECT_THAT(error_of({.sequences = {{SequenceId(1), Position(3), tokens("x")}, {SequenceId(1), Position(3), {}}}}),
              HasSubstr("sequence 1"));
  EXPECT_THAT(error_of({.sequences = {}, .forks = {{SequenceId(1), SequenceId(2), Position(4)}}}),
              HasSubstr("4 of them can't be forked"));
  EXPECT_THAT(error_of({.sequences = {{SequenceId(9), Position(0), tokens("x"), true, AdapterId(1)}}}),
              HasSubstr("adapter 1 is not installed"));
  expect_same(step(1, 3, tokens("def")), fresh("add", "def"));
  const auto adapter = std::make_shared<const LoraAdapter>(LoraAdapter{.name = "mine", .deltas = {}});
  const auto installed = runner_->install_adapter(AdapterId(1), adapter);
  ASSERT_FALSE(installed);
  EXPECT_THAT(installed.error().message, HasSubstr("adapter mine: tiny is an encoder-decoder"));
}

TEST_F(EncoderDecoderRunnerTest, AnEngineGeneratesFromIt) {
  test::EngineHarness engine(runner_, std::make_shared<test::ByteTokenizer>(), {.threads = 0, .tokens_per_step = 6});
  const auto generate = [&](std::string_view prompt) {
    generation::GenerationRequest request;
    request.prompt = tokens(prompt);
    request.max_new_tokens = 8;
    request.session = std::string("s");
    return engine.generate(std::move(request));
  };
  const auto runner = make_runner();
  Tokens expected, next = tokens("add two numbers");
  for (std::int32_t position = 0; expected.size() < 8; next = {expected.back()}) {
    const auto result = runner->step({.sequences = {{SequenceId(1), Position(position), next}}});
    ASSERT_TRUE(result);
    position += static_cast<std::int32_t>(next.size());
    const auto row = result->row(0);
    expected.emplace_back(static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
  }
  const auto first = generate("add two numbers");
  EXPECT_EQ(first.tokens, expected) << first.error;
  // Another prompt of the same session and back.
  EXPECT_NE(generate("add three").tokens, expected);
  EXPECT_EQ(generate("add two numbers").tokens, expected);
  const auto again = generate("add two numbers");
  EXPECT_EQ(again.tokens, expected);
  EXPECT_EQ(again.timings.prefilled_tokens, 1U);
  // As long as it may get.
  generation::GenerationRequest request;
  request.prompt = tokens(std::string(60, 'x'));
  const auto longest = engine.generate(std::move(request));
  EXPECT_EQ(longest.reason, generation::FinishReason::kLength) << longest.error;
  EXPECT_EQ(longest.tokens.size(), 5U);  // the last one needs no place
}

}  // namespace
}  // namespace weft::model
