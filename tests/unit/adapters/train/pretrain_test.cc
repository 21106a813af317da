#include "adapters/train/pretrain.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "adapters/data/indexed_dataset.h"
#include "model/runner.h"
#include "model/tokenizer/sentencepiece_trainer.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Repetitive code, so that a tiny model learns some of it in a few steps.
std::vector<std::string> documents(int begin, int end) {
  std::vector<std::string> out;
  for (int i = begin; i < end; ++i) {
    std::string text;
    for (int k = 0; k < 12; ++k) {
      text += fmt::format("def area_{}_{}(width, height):\n    total = width * height + {}\n    return total\n\n\n", i,
                          k, i * k);
    }
    out.push_back(text);
  }
  return out;
}

void write_dataset(const std::string& prefix, const model::Tokenizer& tokenizer,
                   const std::vector<std::string>& texts) {
  auto writer = IndexedDatasetWriter::create(prefix);
  ASSERT_TRUE(writer) << writer.error().message;
  for (const std::string& text : texts) {
    std::vector<std::uint16_t> ids;
    for (const TokenId id : tokenizer.encode(text)) ids.push_back(static_cast<std::uint16_t>(id.value()));
    ids.push_back(static_cast<std::uint16_t>(tokenizer.control("<|endoftext|>")->value()));
    ASSERT_TRUE(writer->add(ids));
  }
  ASSERT_TRUE(writer->finish());
}

class Pretrain : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("pretrain_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "data");
    const std::string tokenizer = (folder_ / "data/tokenizer.model").string();
    const auto trained = model::train_sentencepiece(documents(0, 30), {.vocabulary = 420, .threads = 1}, tokenizer);
    ASSERT_TRUE(trained) << trained.error().message;
    const auto loaded = model::load_tokenizer((folder_ / "data").string());
    ASSERT_TRUE(loaded) << loaded.error().message;
    write_dataset((folder_ / "data/train").string(), **loaded, documents(0, 30));
    write_dataset((folder_ / "data/valid").string(), **loaded, documents(30, 34));
    std::ofstream(folder_ / "config.json")
        << R"({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": )" << (*loaded)->vocabulary()
        << R"(, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
              "head_dim": 16, "intermediate_size": 64, "max_position_embeddings": 256, "rms_norm_eps": 1e-6,
              "tie_word_embeddings": true})";
  }
  void TearDown() override { fs::remove_all(folder_); }

  PretrainOptions options(const std::string& out) const {
    PretrainOptions o;
    o.data = (folder_ / "data").string();
    o.out = (folder_ / out).string();
    o.config = (folder_ / "config.json").string();
    o.sequence_tokens = 128;
    o.micro_batch_sequences = 2;
    o.batch_tokens = 512;
    o.total_steps = 8;
    o.warmup_steps = 2;
    o.decay_steps = 3;
    o.checkpoint_every_steps = 2;
    o.evaluate_every_steps = 4;
    o.threads = 1;
    return o;
  }
  static PretrainReport run(const PretrainOptions& options, CancelFlag cancel = {},
                            const std::function<void(const PretrainProgress&)>& progress = {}) {
    const auto report = pretrain(options, progress, std::move(cancel));
    EXPECT_TRUE(report) << (report ? "" : report.error().message);
    return report ? *report : PretrainReport{};
  }
  fs::path folder_;
};

TEST_F(Pretrain, LearnsAndPackagesAModelThatLoads) {
  PretrainOptions o = options("learn");
  o.total_steps = 60;
  o.warmup_steps = 5;
  o.decay_steps = 20;
  std::vector<double> losses, held_out;
  const PretrainReport report = run(o, {}, [&](const PretrainProgress& now) {
    losses.push_back(now.loss);
    if (now.held_out_bits_per_byte >= 0) held_out.push_back(now.held_out_bits_per_byte);
  });
  ASSERT_EQ(losses.size(), 60U);
  EXPECT_LT(losses.back(), losses.front() * 0.6);
  ASSERT_EQ(held_out.size(), 15U);
  EXPECT_LT(report.held_out_bits_per_byte, held_out.front());
  model::LoadOptions load;
  load.directory = report.model_directory;
  load.threads = 1;
  const auto loaded = model::load_model(load);
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto step = loaded->runner->step({{{SequenceId{1}, Position{0}, loaded->tokenizer->encode("def ")}}, {}});
  ASSERT_TRUE(step) << step.error().message;
  EXPECT_EQ(step->logits.size(), loaded->tokenizer->vocabulary());
}

TEST_F(Pretrain, AResumedRunWritesTheSameBitsAsOneThatNeverStopped) {
  const PretrainReport whole = run(options("whole"));
  CancelFlag cancel;
  const PretrainReport stopped = run(options("parts"), cancel, [&](const PretrainProgress& now) {
    if (now.step == 5) cancel.cancel();
  });
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_EQ(stopped.steps, 5U);
  const PretrainReport resumed = run(options("parts"));
  EXPECT_FALSE(resumed.interrupted);
  EXPECT_EQ(read(fs::path(whole.model_directory) / "model.safetensors"),
            read(fs::path(resumed.model_directory) / "model.safetensors"));
}

TEST_F(Pretrain, ABranchedDecayLeavesTheRunAsItWas) {
  PretrainOptions o = options("trunk");
  o.total_steps = 100;
  CancelFlag cancel;
  run(o, cancel, [&](const PretrainProgress& now) {
    if (now.step == 4) cancel.cancel();
  });
  const std::string checkpoint = read(fs::path(o.out) / "checkpoints/step-00000004.safetensors");
  ASSERT_FALSE(checkpoint.empty());
  PretrainOptions decay = o;
  decay.branch_decay = true;
  const PretrainReport report = run(decay);
  EXPECT_EQ(report.steps, 7U);
  EXPECT_TRUE(fs::exists(fs::path(report.model_directory) / "model.safetensors"));
  EXPECT_EQ(read(fs::path(o.out) / "checkpoints/step-00000004.safetensors"), checkpoint);
}

TEST_F(Pretrain, ForeignCheckpointsAndBadOptionsAreRefused) {
  run(options("run"));
  PretrainOptions other = options("run");
  other.seed = 2;
  const auto foreign = pretrain(other, {}, {});
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().message.find("other data or options"), std::string::npos);

  PretrainOptions odd = options("odd");
  odd.batch_tokens = 500;
  const auto refused = pretrain(odd, {}, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("500"), std::string::npos);

  PretrainOptions nowhere = options("nowhere");
  nowhere.data = (folder_ / "absent").string();
  EXPECT_FALSE(pretrain(nowhere, {}, {}));
}

TEST_F(Pretrain, ADamagedCheckpointIsAnErrorThatNamesIt) {
  CancelFlag cancel;
  run(options("run"), cancel, [&](const PretrainProgress& now) {
    if (now.step == 4) cancel.cancel();
  });
  const fs::path newest = folder_ / "run/checkpoints/step-00000004.safetensors";
  fs::resize_file(newest, fs::file_size(newest) / 2);
  const auto report = pretrain(options("run"), {}, {});
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("step-00000004"), std::string::npos);
}

}  // namespace
}  // namespace weft::adapters
