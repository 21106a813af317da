// Parity: the decoder against transformers on tiny random checkpoints of every family, stage by stage: as training runs
// it, on LibTorch, and as a processor serves it, on weft's own kernels. tests/parity/make_golden.py made the goldens.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/layers/kv_blocks.h"
#include "model/weight_reader.h"
#include "tests/parity/golden.h"

namespace weft::model {
namespace {

using test::kFp32Tolerance;
using test::largest_error;
using test::relative_error;
using test::Stages;

// The error against fp32 relative to the stage's size, at most this and at most so many times what transformers itself
// loses in bf16.
constexpr double kBf16Tolerance = 0.02, kBf16Excess = 1.5;

class Parity : public ::testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] Transformer bind(at::ScalarType dtype) { return folder_.bind<Transformer>(dtype, communicator_); }
  [[nodiscard]] at::Tensor golden(const std::string& name) const { return folder_.tensor(name); }

  [[nodiscard]] Transformer serving(WeightFormat format = WeightFormat::kFloat32) {
    return folder_.packed({format, format == WeightFormat::kInt4 ? 32 : 0}, communicator_);
  }

  // Blocks so small that documents reach over several.
  [[nodiscard]] KvBlocks cache(KvFormat format = KvFormat::kFloat32) {
    const KvLayout layout{format, config_.kv_heads, config_.head_dim, 4};
    return KvBlocks(*pools_.emplace_back(std::make_unique<KvPool>(config_.layers, layout, 1000)));
  }

  static Stages run(const Transformer& transformer, const at::Tensor& ids, const at::Tensor& positions,
                    AttentionBackend& attention) {
    Stages stages;
    const at::Tensor last = transformer.hidden(
        ids, positions, {.attention = attention},
        [&](std::string_view stage, const at::Tensor& output) { stages[std::string(stage)] = output.clone(); });
    stages["logits"] = transformer.logits(last);
    return stages;
  }

  static Stages step(const Transformer& transformer, const at::Tensor& ids, KvBlocks& kv) {
    PagedAttention attention(**serving_cpu(0), {{&kv, ids.size(0)}});
    const Stages stages =
        run(transformer, ids, at::arange(kv.length(), kv.length() + ids.size(0), at::kLong), attention);
    kv.commit(ids.size(0));
    return stages;
  }

  // Row by row, the stages of consecutive steps.
  static void append(Stages& all, const Stages& more) {
    for (const auto& [stage, output] : more) {
      at::Tensor& held = all[stage];
      held = held.defined() ? at::cat({held, output}) : output;
    }
  }

  [[nodiscard]] std::vector<std::string> stage_names() const {
    std::vector<std::string> names = {"embedding", "norm", "logits"};
    for (int layer = 0; layer < config_.layers; ++layer) names.push_back(fmt::format("block.{}", layer));
    return names;
  }

  void expect_fp32(const Stages& stages, const std::string& document) const {
    ASSERT_EQ(stages.size(), stage_names().size());
    for (const std::string& stage : stage_names()) {
      const at::Tensor expected = golden(document + "." + stage);
      ASSERT_TRUE(stages.contains(stage)) << stage;
      ASSERT_EQ(stages.at(stage).sizes(), expected.sizes()) << stage;
      EXPECT_LT(largest_error(stages.at(stage), expected), kFp32Tolerance) << document << "." << stage;
    }
  }

  void expect_bf16(const Stages& stages, const std::string& document) const {
    for (const std::string& stage : stage_names()) {
      const at::Tensor expected = golden(document + "." + stage);
      ASSERT_EQ(stages.at(stage).scalar_type(), at::kBFloat16) << stage;
      const double theirs = relative_error(golden("bf16." + document + "." + stage), expected);
      const double ours = relative_error(stages.at(stage), expected);
      EXPECT_LT(ours, kBf16Tolerance) << document << "." << stage;
      EXPECT_LE(ours, theirs * kBf16Excess) << document << "." << stage;
    }
  }

  const test::GoldenFolder folder_{GetParam()};
  const ModelConfig& config_ = folder_.config();
  SoloCommunicator communicator_;
  std::vector<std::unique_ptr<KvPool>> pools_;
};

TEST_P(Parity, WholeDocument) {
  for (const std::string document : {"a", "b"}) {
    const at::Tensor ids = golden(document + ".ids");
    DocumentAttention attention({ids.size(0)});
    expect_fp32(run(bind(at::kFloat), ids, at::arange(ids.size(0), at::kLong), attention), document);
  }
}

TEST_P(Parity, DocumentsThatShareARowDoNotSeeEachOther) {
  const at::Tensor a = golden("a.ids"), b = golden("b.ids");
  DocumentAttention attention({a.size(0), b.size(0)});
  const at::Tensor positions = at::cat({at::arange(a.size(0), at::kLong), at::arange(b.size(0), at::kLong)});
  const Stages both = run(bind(at::kFloat), at::cat({a, b}), positions, attention);
  Stages first, second;
  for (const auto& [stage, output] : both) {
    first[stage] = output.narrow(0, 0, a.size(0));
    second[stage] = output.narrow(0, a.size(0), b.size(0));
  }
  expect_fp32(first, "a");
  expect_fp32(second, "b");
}

TEST_P(Parity, PrefillThenTokenByToken) {
  const Transformer transformer = serving();
  const at::Tensor ids = golden("a.ids");
  constexpr std::int64_t kPrefill = 9;
  KvBlocks kv = cache();
  Stages stages = step(transformer, ids.narrow(0, 0, kPrefill), kv);
  for (std::int64_t at_token = kPrefill; at_token < ids.size(0); ++at_token) {
    append(stages, step(transformer, ids.narrow(0, at_token, 1), kv));
  }
  expect_fp32(stages, "a");
}

TEST_P(Parity, PrefillInChunks) {
  const Transformer transformer = serving();
  const at::Tensor ids = golden("a.ids");
  KvBlocks kv = cache();
  Stages stages;
  for (std::int64_t at_token = 0; at_token < ids.size(0); at_token += 7) {
    append(stages, step(transformer, ids.narrow(0, at_token, std::min<std::int64_t>(7, ids.size(0) - at_token)), kv));
  }
  expect_fp32(stages, "a");
}

TEST_P(Parity, ReusesTheCacheAfterTakingTokensBack) {
  const Transformer transformer = serving();
  const at::Tensor a = golden("a.ids"), b = golden("b.ids");
  constexpr std::int64_t kKept = 11;
  KvBlocks kv = cache();
  Stages stages = step(transformer, a.narrow(0, 0, kKept), kv);
  step(transformer, b, kv);
  kv.truncate(kKept);
  append(stages, step(transformer, a.narrow(0, kKept, a.size(0) - kKept), kv));
  expect_fp32(stages, "a");
}

TEST_P(Parity, SequencesOfOneStepDoNotSeeEachOther) {
  const Transformer transformer = serving();
  const at::Tensor a = golden("a.ids"), b = golden("b.ids");
  KvBlocks kv_a = cache(), kv_b = cache();
  PagedAttention attention(**serving_cpu(0), {{&kv_a, a.size(0)}, {&kv_b, b.size(0)}});
  const at::Tensor positions = at::cat({at::arange(a.size(0), at::kLong), at::arange(b.size(0), at::kLong)});
  const Stages both = run(transformer, at::cat({a, b}), positions, attention);
  Stages first, second;
  for (const auto& [stage, output] : both) {
    first[stage] = output.narrow(0, 0, a.size(0));
    second[stage] = output.narrow(0, a.size(0), b.size(0));
  }
  expect_fp32(first, "a");
  expect_fp32(second, "b");
}

TEST_P(Parity, BFloat16AsTrainingRunsIt) {
  const Transformer transformer = bind(at::kBFloat16);
  for (const std::string document : {"a", "b"}) {
    const at::Tensor ids = golden(document + ".ids");
    DocumentAttention attention({ids.size(0)});
    expect_bf16(run(transformer, ids, at::arange(ids.size(0), at::kLong), attention), document);
  }
}

// Of the logits of both documents, prefilled and then token by token.
TEST_P(Parity, CoarserWeightsStayNearTheFinest) {
  struct Bound {
    WeightFormat format;
    KvFormat kv;
    double error;     // of the logits together, relative
    double same_top;  // share of tokens whose best next one is the same
  };
  for (const Bound& bound : {Bound{WeightFormat::kBFloat16, KvFormat::kBFloat16, 0.01, 0.95},
                             Bound{WeightFormat::kInt8, KvFormat::kBFloat16, 0.03, 0.9},
                             Bound{WeightFormat::kInt4, KvFormat::kBFloat16, 0.3, 0.5}}) {
    const Transformer transformer = serving(bound.format);
    at::Tensor ours, theirs;
    for (const std::string document : {"a", "b"}) {
      const at::Tensor ids = golden(document + ".ids");
      KvBlocks kv = cache(bound.kv);
      Stages stages = step(transformer, ids.narrow(0, 0, 9), kv);
      for (std::int64_t i = 9; i < ids.size(0); ++i) append(stages, step(transformer, ids.narrow(0, i, 1), kv));
      const at::Tensor expected = golden(document + ".logits");
      ours = ours.defined() ? at::cat({ours, stages.at("logits")}) : stages.at("logits");
      theirs = theirs.defined() ? at::cat({theirs, expected}) : expected;
    }
    const double same = (ours.argmax(-1) == theirs.argmax(-1)).to(at::kFloat).mean().item<double>();
    EXPECT_LT(relative_error(ours, theirs), bound.error) << static_cast<int>(bound.format);
    EXPECT_GE(same, bound.same_top) << static_cast<int>(bound.format);
  }
}

// The goldens would notice a weight that is not used, or used where it does not belong.
TEST_P(Parity, EveryWeightMatters) {
  const auto checkpoint = Checkpoint::open(folder_.path());
  const auto without = [&](const std::string& missing) {
    const auto lookup = [&](const WeightSpec& spec) -> Expected<at::Tensor> {
      auto weight = read_weight(*checkpoint, spec, at::kFloat);
      // A norm's factor of nothing is what leaves what it normalises as it is.
      const bool factor = spec.shape.size() == 1 && spec.name.ends_with(".weight");
      const double neutral = factor && config_.architecture->norm != NormKind::kRmsPlusOne ? 1.0 : 0.0;
      if (spec.name == missing) weight->fill_(neutral);
      return weight;
    };
    return *Transformer::bind(config_, lookup, communicator_);
  };
  for (const WeightSpec& spec : weight_specs(config_)) {
    // Without rotary, what is added to all keys adds the same to all scores of a query: softmax takes it away.
    if (config_.architecture->learned_positions && spec.name.ends_with("#k.bias")) continue;
    const Transformer transformer = without(spec.name);
    double worst = 0;
    for (const std::string document : {"a", "b"}) {
      const at::Tensor ids = golden(document + ".ids");
      DocumentAttention attention({ids.size(0)});
      const Stages stages = run(transformer, ids, at::arange(ids.size(0), at::kLong), attention);
      worst = std::max(worst, largest_error(stages.at("logits"), golden(document + ".logits")));
    }
    EXPECT_GT(worst, 100 * kFp32Tolerance) << spec.name;
  }
}

// Rotary sees distances alone, so that only what adds positions to the embeddings notices that all are shifted; every
// family notices that one is.
TEST_P(Parity, EveryPositionMatters) {
  const at::Tensor ids = golden("a.ids");
  at::Tensor positions = at::arange(ids.size(0), at::kLong);
  positions.narrow(0, ids.size(0) - 1, 1).add_(1);
  DocumentAttention attention({ids.size(0)});
  const Stages stages = run(bind(at::kFloat), ids, positions, attention);
  EXPECT_GT(largest_error(stages.at("logits"), golden("a.logits")), 100 * kFp32Tolerance);
}

TEST_P(Parity, GoesOnAsTransformersDoes) {
  const Transformer transformer = serving();
  KvBlocks kv = cache();
  at::Tensor logits = step(transformer, golden("a.ids"), kv).at("logits");
  const at::Tensor expected = golden("a.greedy");
  for (std::int64_t i = 0; i < expected.size(0); ++i) {
    const at::Tensor token = logits[logits.size(0) - 1].argmax().reshape({1});
    ASSERT_EQ(token.item<std::int64_t>(), expected[i].item<std::int64_t>()) << "token " << i;
    logits = step(transformer, token, kv).at("logits");
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Parity,
                         ::testing::Values("llama", "llama_bias", "llama3", "deepseek_coder", "mistral", "qwen2",
                                           "qwen2_window", "qwen2_yarn", "qwen3", "qwen3_moe", "starcoder2", "gemma",
                                           "granite", "stablelm", "mellum", "gpt_bigcode", "gpt2"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace weft::model
