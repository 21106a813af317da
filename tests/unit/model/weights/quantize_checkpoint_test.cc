// weft's own quantised checkpoints: they hold what was rounded and all else, and appear whole or not at all.
#include "model/weights/quantize_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "model/weights/checkpoint.h"
#include "model/weights/safetensors.h"

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class QuantizeCheckpoint : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("weft_quantize_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(from());
    write("config.json", R"({"architectures":["LlamaForCausalLM"],"hidden_size":96})");
    write("tokenizer.json", "{}");
    write("memory.json", "{}");
    write("train.py", "not of the model");
    std::mt19937 random(4);
    std::normal_distribution<float> normal(0, 0.02F);
    for (float& value : numbers_) value = normal(random);
    put();
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] fs::path from() const { return folder_ / "model"; }
  [[nodiscard]] std::string to() const { return (folder_ / "out").string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(from() / name) << text; }
  void put() const {
    const auto data = std::as_bytes(std::span(numbers_));
    const auto matrix = [&](std::int64_t rows, std::int64_t columns) {
      return TensorView{Dtype::kF32, {rows, columns}, data.first(static_cast<std::size_t>(rows * columns) * 4)};
    };
    ASSERT_TRUE(write_safetensors((from() / "model.safetensors").string(),
                                  {{"lm_head.weight", matrix(10, 96)},
                                   {"model.embed_tokens.weight", matrix(10, 96)},
                                   {"model.layers.0.mlp.gate.weight", matrix(4, 96)},
                                   {"model.layers.0.self_attn.q_proj.weight", matrix(300, 96)},
                                   {"model.layers.0.self_attn.q_proj.bias", {Dtype::kF32, {8}, data.first(32)}},
                                   {"transformer.h.0.attn.c_attn.weight", matrix(96, 30)}}));
  }
  [[nodiscard]] Expected<QuantizeReport> run(WeightFormat format, std::int64_t group = 32) const {
    return quantize_checkpoint({from().string(), to(), {format, group}, 2}, {}, CancelFlag());
  }
  [[nodiscard]] std::vector<std::string> left_behind() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename().string());
    return names;
  }
  fs::path folder_;
  std::vector<float> numbers_ = std::vector<float>(300 * 96);
};

TEST_F(QuantizeCheckpoint, Int8HoldsEachLinearAndAScaleARow) {
  const auto report = run(WeightFormat::kInt8);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->quantized, 3U);
  EXPECT_EQ(report->kept, 3U);
  const auto checkpoint = Checkpoint::open(to());
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->find("model.embed_tokens.weight")->dtype, Dtype::kBf16);
  EXPECT_EQ(checkpoint->find("model.layers.0.mlp.gate.weight")->dtype, Dtype::kBf16);
  EXPECT_EQ(checkpoint->find("model.layers.0.self_attn.q_proj.bias")->dtype, Dtype::kF32);
  EXPECT_TRUE(checkpoint->is_quantized("lm_head.weight"));
  const auto matrix = checkpoint->find_quantized("model.layers.0.self_attn.q_proj.weight");
  ASSERT_TRUE(matrix) << matrix.error().message;
  std::vector<float> row(96);
  for (std::int64_t i = 0; i < 300; ++i) {
    dequantize_row(*matrix, i, row);
    for (std::size_t j = 0; j < 96; ++j) {
      const auto at = static_cast<std::size_t>(i);
      ASSERT_NEAR(row[j], numbers_[at * 96 + j], matrix->scales[at] * 0.501);
    }
  }
  const auto part = checkpoint->find_quantized("model.layers.0.self_attn.q_proj.weight", {290, 10, 7, 50});
  ASSERT_TRUE(part);
  EXPECT_EQ(part->scales[9], matrix->scales[299]);
  EXPECT_EQ(part->values[9 * 50 + 49], matrix->values[299 * 96 + 56]);
}

TEST_F(QuantizeCheckpoint, Int4HoldsGroupsOfAnySize) {
  for (const std::int64_t group : {32, 64, 128}) {
    const auto report = run(WeightFormat::kInt4, group);
    ASSERT_TRUE(report) << report.error().message;
    const auto checkpoint = Checkpoint::open(to());
    const auto matrix = checkpoint->find_quantized("model.layers.0.self_attn.q_proj.weight");
    ASSERT_TRUE(matrix) << matrix.error().message;
    // With groups as long as the row or longer, their number is all that can be known.
    EXPECT_EQ((matrix->columns + matrix->group - 1) / matrix->group, (96 + group - 1) / group);
    std::vector<float> row(96);
    dequantize_row(*matrix, 299, row);
    double error = 0, size = 0;
    for (std::size_t j = 0; j < 96; ++j) {
      error += std::pow(row[j] - numbers_[299 * 96 + j], 2);
      size += std::pow(numbers_[299 * 96 + j], 2);
    }
    EXPECT_LT(std::sqrt(error / size), 0.15) << group;
    EXPECT_EQ(checkpoint->find("lm_head.weight")->dtype, Dtype::kI8);
    fs::remove_all(to());
  }
}

TEST_F(QuantizeCheckpoint, Int4SlicesBeginAndEndAtGroups) {
  ASSERT_TRUE(run(WeightFormat::kInt4, 32));
  const auto checkpoint = Checkpoint::open(to());
  const std::string name = "model.layers.0.self_attn.q_proj.weight";
  const auto all = checkpoint->find_quantized(name), part = checkpoint->find_quantized(name, {1, 2, 32, 64});
  ASSERT_TRUE(part) << part.error().message;
  std::vector<float> whole_row(96), part_row(64);
  dequantize_row(*all, 2, whole_row);
  dequantize_row(*part, 1, part_row);
  EXPECT_TRUE(std::equal(part_row.begin(), part_row.end(), whole_row.begin() + 32));
  EXPECT_THAT(checkpoint->find_quantized(name, {0, 1, 8, 32}).error().message, HasSubstr("groups of 32"));
  EXPECT_THAT(checkpoint->find_quantized("model.embed_tokens.weight").error().message, HasSubstr("not quantised"));
}

TEST_F(QuantizeCheckpoint, TurnsTheLinearsOfGpt2) {
  write("config.json", R"({"architectures":["GPT2LMHeadModel"]})");
  ASSERT_TRUE(run(WeightFormat::kInt8));
  const auto matrix = Checkpoint::open(to())->find_quantized("transformer.h.0.attn.c_attn.weight");
  ASSERT_TRUE(matrix) << matrix.error().message;
  EXPECT_EQ(matrix->rows, 30);
  EXPECT_EQ(matrix->columns, 96);
  std::vector<float> row(96);
  dequantize_row(*matrix, 7, row);
  for (std::size_t j = 0; j < 96; ++j) EXPECT_NEAR(row[j], numbers_[j * 30 + 7], matrix->scales[7] * 0.501);
}

TEST_F(QuantizeCheckpoint, CopiesTheTokenizerAndSaysInTheConfigWhatWasDone) {
  ASSERT_TRUE(run(WeightFormat::kInt4, 64));
  EXPECT_TRUE(fs::exists(fs::path(to()) / "tokenizer.json"));
  EXPECT_TRUE(fs::exists(fs::path(to()) / "memory.json"));
  EXPECT_FALSE(fs::exists(fs::path(to()) / "train.py"));
  std::ifstream in(fs::path(to()) / "config.json");
  const auto config = nlohmann::json::parse(in);
  EXPECT_EQ(config["weft_quantization"], (nlohmann::json{{"bits", 4}, {"group_size", 64}}));
  EXPECT_EQ(config["hidden_size"], 96);
  EXPECT_EQ(left_behind().size(), 2U);
  EXPECT_NE(fs::status(to()).permissions() & fs::perms::others_read, fs::perms::none);
}

TEST_F(QuantizeCheckpoint, ReplacesNothing) {
  fs::create_directories(to());
  EXPECT_THAT(run(WeightFormat::kInt8).error().message, HasSubstr("out is there already"));
}

TEST_F(QuantizeCheckpoint, DoesNotRoundTwice) {
  ASSERT_TRUE(run(WeightFormat::kInt8));
  const auto again = quantize_checkpoint({to(), to() + "2", {}, 1}, {}, CancelFlag());
  EXPECT_THAT(again.error().message, HasSubstr("quantised already: config.json has weft_quantization"));
}

TEST_F(QuantizeCheckpoint, LeavesNothingWhenInterrupted) {
  CancelFlag cancel;
  const auto report = quantize_checkpoint(
      {from().string(), to(), {}, 2},
      [&](double, std::string_view tensor) {
        if (tensor == "model.layers.0.self_attn.q_proj.weight") cancel.cancel();
      },
      cancel);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("interrupted"));
  EXPECT_THAT(left_behind(), ElementsAre("model"));
}

TEST_F(QuantizeCheckpoint, NamesTheRowThatIsNotFinite) {
  numbers_[77 * 96 + 5] = std::numeric_limits<float>::quiet_NaN();
  put();
  const auto report = run(WeightFormat::kInt8);
  EXPECT_THAT(report.error().message, HasSubstr("q_proj.weight: row 77 holds a value that is not finite"));
  EXPECT_THAT(left_behind(), ElementsAre("model"));
}

TEST_F(QuantizeCheckpoint, RefusesScalesThatDoNotFit) {
  std::vector<float> scales(3);
  const std::vector<std::uint8_t> values(8);
  const auto refusal = [&](const TensorView& weight, const TensorView& scale) {
    EXPECT_TRUE(
        write_safetensors((from() / "model.safetensors").string(), {{"a.weight", weight}, {"a.weight_scale", scale}}));
    const auto matrix = Checkpoint::open(from().string())->find_quantized("a.weight");
    return matrix ? "" : matrix.error().message;
  };
  const auto bytes = std::as_bytes(std::span(values));
  EXPECT_THAT(refusal({Dtype::kI8, {2, 4}, bytes}, {Dtype::kF32, {3}, std::as_bytes(std::span(scales))}),
              HasSubstr("has scales F32 [3], expected F32 [2]"));
  scales[1] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(refusal({Dtype::kI8, {2, 4}, bytes}, {Dtype::kF32, {2}, std::as_bytes(std::span(scales)).first(8)}),
              HasSubstr("weight a.weight has a scale that is not finite"));
  EXPECT_THAT(refusal({Dtype::kU8, {2, 4}, bytes}, {Dtype::kF16, {2, 3}, std::as_bytes(std::span(scales))}),
              HasSubstr("has scales F16 [2, 3], expected F16 [2, groups of 32, 64 or 128 of 8 columns]"));
}

}  // namespace
}  // namespace weft::model
