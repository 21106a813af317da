// Training of a whole model: an encoder-decoder says what it was taught, and either kind becomes a directory that
// loads.
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "adapters/train/train_adapter.h"
#include "adapters/train/trainable_encoder_decoder.h"
#include "adapters/train/trainable_model.h"
#include "adapters/train/training_step.h"
#include "model/runner.h"
#include "tests/support/fake_task.h"
#include "tests/unit/adapters/train/tiny_base.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class TrainFull : public TinyBase {
 protected:
  void SetUp() override {
    TinyBase::SetUp();
    tokenizer_ = *model::load_tokenizer(path(""));
    end_ = *tokenizer_->control("<|endoftext|>");
    const auto config = model::parse_model_config(
        fmt::format(R"({{"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "vocab_size": {},
          "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "n_positions": 256,
          "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false, "eos_token_id": {}}})",
                    tokenizer_->vocabulary(), end_.value()),
        "tiny-t5");
    ASSERT_TRUE(config) << config.error().message;
    t5_ = *config;
    const auto packaged = package_model(t5_, draw_weights(t5_, 5), path("t5"), path(""));
    ASSERT_TRUE(packaged) << packaged.error().message;
  }

  [[nodiscard]] TrainOptions options(const std::string& base, const std::string& out) const {
    TrainOptions o;
    o.data = {path("code")};
    o.out = path(out);
    o.model = path(base);
    o.full = true;
    o.preset = *find_train_preset("smallest");
    o.preset.full_learning_rate = 1e-2;
    o.preset.max_steps = 8;
    o.preset.max_epochs = 100;
    o.preset.batch_tokens = 512;
    o.preset.evaluate_every_steps = 2;
    o.checkpoint_every_steps = 2;
    o.collect.any_licence = true;
    o.threads = 1;
    return o;
  }
  static TrainReport run(const TrainOptions& options, CancelFlag cancel = {},
                         const std::function<void(const TrainProgress&)>& progress = {}) {
    auto report = train_adapter(test::fake_rewriting(), options, progress, std::move(cancel));
    EXPECT_TRUE(report) << (report ? "" : report.error().message);
    return report ? *std::move(report) : TrainReport{};
  }
  static std::string refusal(const Task& task, const TrainOptions& options) {
    const auto report = train_adapter(task, options, {}, {});
    return report ? "" : report.error().message;
  }
  static model::LoadedModel load(const std::string& directory) {
    auto loaded =
        model::load_model({.directory = directory, .dtype = model::DType::kFloat32, .threads = 1, .progress = {}});
    EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
    return *std::move(loaded);
  }

  [[nodiscard]] TokenExample example(const std::string& prompt, const std::string& answer) const {
    TokenExample out{.text = {.prompt = prompt, .answer = answer, .label = {}},
                     .prompt = tokenizer_->encode(prompt),
                     .answer = tokenizer_->encode(answer)};
    out.answer.push_back(end_);
    return out;
  }
  // The text that greedy decoding gives, up to the end token.
  [[nodiscard]] std::string greedy(model::ModelRunner& runner, const std::string& prompt) const {
    std::vector<TokenId> next = tokenizer_->encode(prompt), said;
    for (std::int32_t position = 0; said.size() < 100;) {
      const auto result = runner.step({.sequences = {{SequenceId(1), Position(position), next}}});
      if (!result) return result.error().message;
      position += static_cast<std::int32_t>(next.size());
      const auto row = result->row(0);
      const TokenId best(static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
      if (best == end_) return tokenizer_->decode(said);
      said.push_back(best);
      next = {best};
    }
    return "no end";
  }

  std::shared_ptr<const model::Tokenizer> tokenizer_;
  TokenId end_;
  model::ModelConfig t5_;
};

TEST_F(TrainFull, AnEncoderDecoderSaysWhatItWasTaught) {
  const std::vector<TokenExample> pairs = {
      example("# the width of a speed\n", "def width_of_speed(speed, width):\n    return speed * 32 + width\n"),
      example("# the total of a depth\n", "def total_of_depth(depth):\n    return depth\n"), example("# nothing\n", ""),
      example("# the price of an angle, and more\n", "def price_of_angle(angle, price):\n    return price * angle\n")};
  const TrainableEncoderDecoder model(t5_, draw_weights(t5_, 5));
  std::vector<const TokenExample*> all;
  std::size_t scored = 0;
  for (const TokenExample& each : pairs) {
    all.push_back(&each);
    scored += each.answer.size();
  }
  Optimizer optimizer(model.parameters(), {.adamw_lr = 1e-2, .muon = false});
  double loss = 0;
  for (int step = 0; step < 200; ++step) {
    bool given = false;
    const auto next = [&]() -> std::optional<MicroBatch> {
      if (std::exchange(given, true)) return std::nullopt;
      return MicroBatch{model.loss_sum(all), scored};
    };
    loss = training_step(optimizer, model.parameters(), {.clip_norm = 1}, next).loss;
  }
  EXPECT_LT(loss, 0.05);
  // Each pair alone is worth what it is among the others.
  const at::NoGradGuard no_gradient;
  double apart = 0;
  for (const TokenExample* each : all) apart += model.loss_sum({&each, 1}).item<double>();
  EXPECT_NEAR(apart, model.loss_sum(all).item<double>(), 0.02);

  const auto packaged = package_model(t5_, model.parameters(), path("taught"), path(""));
  ASSERT_TRUE(packaged) << packaged.error().message;
  const model::LoadedModel loaded = load(path("taught"));
  for (const TokenExample& each : pairs) EXPECT_EQ(greedy(*loaded.runner, each.text.prompt), each.text.answer);
}

TEST_F(TrainFull, TheFirstTokenOfAnAnswerCountsAsOftenAsItSays) {
  const TokenExample plain = example("# a verdict\n", "bug or not");
  TokenExample verdict = plain, first = plain;
  verdict.first_counts = 5;
  first.answer.resize(1);
  const at::NoGradGuard no_gradient;
  const TrainableEncoderDecoder encoder_decoder(t5_, draw_weights(t5_, 5));
  const auto decoder = TrainableModel::from_directory(config_, path("base"));
  ASSERT_TRUE(decoder) << decoder.error().message;
  for (const FinetuneModel* model :
       {static_cast<const FinetuneModel*>(&encoder_decoder), static_cast<const FinetuneModel*>(&*decoder)}) {
    const auto loss = [model](const TokenExample& one) { return model->loss_sum(std::vector{&one}).item<double>(); };
    EXPECT_NEAR(loss(verdict), loss(plain) + 4 * loss(first), 1e-2 * loss(verdict));
  }
}

TEST_F(TrainFull, LearnsATaskAndWritesADirectoryThatLoads) {
  for (const std::string base : {"t5", "base"}) {
    TrainOptions o = options(base, "learned-" + base);
    o.preset.max_steps = 40;
    o.preset.evaluate_every_steps = 10;
    const TrainReport report = run(o);
    EXPECT_LT(report.best_loss, report.base_loss * 0.6) << base;
    EXPECT_EQ(report.info.rank, 0);
    const model::LoadedModel loaded = load(o.out);
    EXPECT_EQ(loaded.config.name, "learned-" + base);
    EXPECT_EQ(loaded.config.parameters(), report.parameters) << base;
    EXPECT_EQ(loaded.config.encoder.has_value(), base == "t5");
  }
}

TEST_F(TrainFull, AResumedRunWritesTheSameBytesAsOneThatNeverStopped) {
  run(options("t5", "whole"));
  CancelFlag cancel;
  const TrainReport stopped = run(options("t5", "parts"), cancel, [&](const TrainProgress& now) {
    if (now.stage == "training" && now.step == 5) cancel.cancel();
  });
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_FALSE(fs::exists(folder_ / "parts/model.safetensors"));
  EXPECT_FALSE(run(options("t5", "parts")).interrupted);
  const std::string whole = read_file(folder_ / "whole/model.safetensors");
  EXPECT_FALSE(whole.empty());
  EXPECT_TRUE(whole == read_file(folder_ / "parts/model.safetensors"));
}

TEST_F(TrainFull, RefusesWhatCannotBe) {
  TrainOptions adapter = options("t5", "adapter");
  adapter.full = false;
  EXPECT_THAT(refusal(test::fake_rewriting(), adapter), HasSubstr("tiny-t5 is an encoder-decoder"));
  EXPECT_THAT(refusal(test::fake_detection(), options("base", "out")), HasSubstr("fake-detection is trained as an"));
  EXPECT_THAT(refusal(test::fake_rewriting(), options("t5", "t5")), HasSubstr("is the model to start from"));
}

}  // namespace
}  // namespace weft::adapters
