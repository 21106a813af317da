// A base that trains in milliseconds, and a folder of code to train it on, below a folder of the test's own.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "adapters/train/trainable_model.h"
#include "model/tokenizer/sentencepiece_trainer.h"

namespace weft::adapters {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class TinyBase : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) / (std::string(info->test_suite_name()) + "_" + info->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "code");
    std::filesystem::create_directories(folder_ / "base");
    write_code();
    write_base();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
  model::ModelConfig config_;

 private:
  // Twelve files of eight functions; no two files alike enough to count as duplicates.
  void write_code() {
    const std::vector<std::string> things = {"width", "speed", "score", "total", "depth", "price",
                                             "angle", "level", "count", "range", "index", "limit"};
    for (std::size_t file = 0; file < things.size(); ++file) {
      std::string text;
      for (std::size_t k = 0; k < 8; ++k) {
        const std::string& other = things[(file * 5 + k * 7 + 1) % things.size()];
        text += fmt::format("def {0}_of_{1}({1}, {0}):\n    return {1} * {2} + {0}\n\n\n", things[file], other,
                            file * 31 + k);
      }
      texts_.push_back(text);
      std::ofstream(folder_ / "code" / (things[file] + ".py")) << text;
    }
  }

  void write_base() {
    const std::string tokenizer = path("tokenizer.model");
    const auto trained = model::train_sentencepiece(texts_, {.vocabulary = 400, .threads = 1}, tokenizer);
    ASSERT_TRUE(trained) << trained.error().message;
    const auto loaded = model::load_tokenizer(path(""));
    ASSERT_TRUE(loaded) << loaded.error().message;
    const auto config = model::parse_model_config(
        fmt::format(R"({{"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": {},
          "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
          "head_dim": 16, "intermediate_size": 64, "max_position_embeddings": 256, "rms_norm_eps": 1e-6,
          "tie_word_embeddings": true}})",
                    (*loaded)->vocabulary()),
        "tiny");
    ASSERT_TRUE(config) << config.error().message;
    config_ = *config;
    const TrainableModel model = TrainableModel::random(config_, 7);
    {
      // Tied and frozen as the embedding is, its usual size would leave no token likely, whatever an adapter does.
      const at::NoGradGuard no_gradient;
      at::Tensor(model.parameters().front().value).mul_(25);
    }
    const auto packaged = model.package(path("base"), path(""));
    ASSERT_TRUE(packaged) << packaged.error().message;
  }

  std::vector<std::string> texts_;
};

}  // namespace weft::adapters
