// Parity: T5 against transformers on tiny random checkpoints, 1.0 with a tied and scaled head and 1.1 with a gated
// feed-forward and a head of its own; stage by stage, and through the runner as an engine steps it.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <vector>

#include "model/encoder_decoder_runner.h"
#include "tests/parity/golden.h"

namespace weft::model {
namespace {

using test::kFp32Tolerance;
using test::largest_error;
using test::Stages;

constexpr double kBf16Tolerance = 0.02;  // of the stage's size, against fp32

class EncoderDecoderParity : public ::testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] EncoderDecoder bind(at::ScalarType dtype) {
    return folder_.bind<EncoderDecoder>(dtype, *communicator_);
  }
  [[nodiscard]] at::Tensor golden(const std::string& name) const { return folder_.tensor(name); }

  static StageObserver keep(Stages& stages) {
    return [&stages](std::string_view stage, const at::Tensor& output) {
      at::Tensor& held = stages[std::string(stage)];
      held = held.defined() ? at::cat({held, output}) : output.clone();
    };
  }

  // Of a whole source and a whole answer.
  [[nodiscard]] Stages run(const EncoderDecoder& model, const std::string& pair) const {
    Stages stages;
    const at::Tensor source = golden(pair + ".source"), answer = golden(pair + ".answer");
    const std::vector<std::int64_t> lengths = {source.size(0)};
    const auto memories = model.memories(model.encode(source, lengths, nullptr, keep(stages)), lengths, nullptr);
    TransientKv kv;
    const std::vector<AnswerPart> parts = {{&kv, &memories[0], answer.size(0)}};
    stages["logits"] = model.logits(model.decode(answer, parts, nullptr, keep(stages)));
    return stages;
  }

  // transformers' stages, and no others.
  void expect_fp32(const Stages& stages, const std::string& pair) const {
    EXPECT_EQ(stages.size(), 5U + static_cast<std::size_t>(folder_.config().layers + folder_.config().encoder->layers));
    for (const auto& [stage, output] : stages) {
      const at::Tensor expected = golden(pair + "." + stage);
      ASSERT_EQ(output.sizes(), expected.sizes()) << stage;
      EXPECT_LT(largest_error(output, expected), kFp32Tolerance) << pair << "." << stage;
    }
  }

  [[nodiscard]] std::unique_ptr<EncoderDecoderRunner> runner() {
    ModelConfig config = folder_.config();
    config.encoder->end = -1;  // the goldens' sources are as they stand
    const RunnerInfo info{.name = GetParam(),
                          .device = "cpu",
                          .dtype = "fp32",
                          .vocabulary = static_cast<std::size_t>(config.vocabulary),
                          .max_positions = static_cast<std::size_t>(config.max_positions),
                          .parameters = config.parameters()};
    return std::make_unique<EncoderDecoderRunner>(config, bind(at::kFloat), communicator_, info, at::kFloat, 1);
  }

  const test::GoldenFolder folder_{GetParam()};
  const std::shared_ptr<SoloCommunicator> communicator_ = std::make_shared<SoloCommunicator>();
};

std::vector<TokenId> token_ids(const at::Tensor& ids) {
  std::vector<TokenId> out;
  for (std::int64_t i = 0; i < ids.size(0); ++i) out.emplace_back(ids[i].item<std::int32_t>());
  return out;
}

TokenId best(std::span<const float> row) {
  return TokenId(static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
}

TEST_P(EncoderDecoderParity, WholeSourceAndAnswer) {
  const EncoderDecoder model = bind(at::kFloat);
  for (const std::string pair : {"a", "b"}) expect_fp32(run(model, pair), pair);
}

TEST_P(EncoderDecoderParity, AnswerTokenByToken) {
  const EncoderDecoder model = bind(at::kFloat);
  Stages stages;
  const at::Tensor source = golden("a.source"), answer = golden("a.answer");
  const std::vector<std::int64_t> lengths = {source.size(0)};
  const auto memories = model.memories(model.encode(source, lengths, nullptr, keep(stages)), lengths, nullptr);
  KvBuffer kv(folder_.config().layers, folder_.config().heads, folder_.config().head_dim, at::kFloat);
  for (std::int64_t at_token = 0, tokens = 5; at_token < answer.size(0); at_token += tokens, tokens = 1) {
    const std::vector<AnswerPart> parts = {{&kv, &memories[0], tokens}};
    const at::Tensor hidden = model.decode(answer.narrow(0, at_token, tokens), parts, nullptr, keep(stages));
    kv.commit(tokens);
    keep(stages)("logits", model.logits(hidden));
  }
  expect_fp32(stages, "a");
}

TEST_P(EncoderDecoderParity, PairsOfOnePassDoNotSeeEachOther) {
  const EncoderDecoder model = bind(at::kFloat);
  Stages both;
  const std::vector<at::Tensor> sources = {golden("a.source"), golden("b.source")};
  const std::vector<at::Tensor> answers = {golden("a.answer"), golden("b.answer")};
  const std::vector<std::int64_t> lengths = {sources[0].size(0), sources[1].size(0)};
  const auto memories = model.memories(model.encode(at::cat(sources), lengths, nullptr, keep(both)), lengths, nullptr);
  TransientKv kv;
  const std::vector<AnswerPart> parts = {{&kv, &memories[0], answers[0].size(0)},
                                         {&kv, &memories[1], answers[1].size(0)}};
  both["logits"] = model.logits(model.decode(at::cat(answers), parts, nullptr, keep(both)));
  std::int64_t source_at = 0, answer_at = 0;
  for (const std::size_t i : {0, 1}) {
    Stages own;
    for (const auto& [stage, output] : both) {
      const bool encoder = stage.starts_with("encoder");
      own[stage] = output.narrow(0, encoder ? source_at : answer_at, encoder ? lengths[i] : answers[i].size(0));
    }
    expect_fp32(own, i == 0 ? "a" : "b");
    source_at += lengths[i];
    answer_at += answers[i].size(0);
  }
}

TEST_P(EncoderDecoderParity, BFloat16) {
  for (const auto& [stage, output] : run(bind(at::kBFloat16), "a")) {
    ASSERT_EQ(output.scalar_type(), at::kBFloat16) << stage;
    EXPECT_LT(test::relative_error(output, golden("a." + stage)), kBf16Tolerance) << stage;
  }
}

TEST_P(EncoderDecoderParity, TheRunnerGeneratesWhatTransformersDoesWithItsCache) {
  const auto runner = this->runner();
  for (const std::string pair : {"a", "b"}) {
    const SequenceId id(pair == "a" ? 1 : 2);
    const std::vector<TokenId> wanted = token_ids(golden(pair + ".greedy"));
    std::vector<TokenId> next = token_ids(golden(pair + ".source")), generated;
    for (std::int32_t position = 0; generated.size() < wanted.size();) {
      const auto result = runner->step({.sequences = {{id, Position(position), next}}});
      ASSERT_TRUE(result) << result.error().message;
      position += static_cast<std::int32_t>(next.size());
      generated.push_back(best(result->row(0)));
      next = {generated.back()};
    }
    EXPECT_EQ(generated, wanted) << pair;
  }
}

TEST(PositionBuckets, AreThoseOfTransformers) {
  const test::GoldenFolder folder("t5");
  const at::Tensor relative = at::arange(-300, 301, at::kLong);
  EXPECT_TRUE(position_buckets(relative, {}).equal(folder.tensor("buckets.both")));
  EXPECT_TRUE(
      position_buckets(relative, {.direction = PositionDirection::kBackward}).equal(folder.tensor("buckets.backward")));
}

INSTANTIATE_TEST_SUITE_P(Families, EncoderDecoderParity, ::testing::Values("t5", "t5_v1_1"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace weft::model
