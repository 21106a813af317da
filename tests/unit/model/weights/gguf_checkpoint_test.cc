// A GGUF file is read as the Hugging Face checkpoint that it was made from: the same names, numbers and config.json.
// The files come from tests/parity/gguf/make_goldens.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "model/weights/checkpoint.h"
#include "model/weights/find_quantized.h"
#include "model/weights/safetensors.h"
#include "tests/unit/model/weights/gguf_bytes.h"

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

const std::string kGoldens = std::string(WEFT_SOURCE_DIR) + "/tests/parity/gguf/";

Checkpoint opened(const std::string& path) {
  auto checkpoint = Checkpoint::open(path);
  EXPECT_TRUE(checkpoint) << checkpoint.error().message;
  return *std::move(checkpoint);
}

std::vector<float> numbers(const TensorView& view) {
  const TensorSlice all = whole(view);
  std::vector<float> out(static_cast<std::size_t>(all.rows * all.columns));
  const auto read = read_rows(view, 0, all.rows, out.data());
  EXPECT_TRUE(read) << read.error().message;
  return out;
}

class GgufFamily : public ::testing::TestWithParam<const char*> {
 protected:
  Checkpoint gguf_ = opened(kGoldens + GetParam() + ".gguf"), original_ = opened(kGoldens + GetParam());
};

TEST_P(GgufFamily, HasTheTensorsOfTheOriginal) {
  std::vector<std::string> names = gguf_.names();
  std::erase(names, "rope_freqs.weight");
  ASSERT_EQ(names, original_.names());
  for (const std::string& name : names) {
    const auto own = gguf_.find(name), expected = original_.find(name);
    EXPECT_EQ(own->shape, expected->shape) << name;
    EXPECT_EQ(numbers(*own), numbers(*expected)) << name;
  }
}

TEST_P(GgufFamily, GivesAnyPartOfATensor) {
  for (const std::string& name : original_.names()) {
    const auto own = gguf_.find(name);
    const TensorSlice all = whole(*own);
    const TensorSlice part{all.rows / 3, all.rows / 2, all.columns / 4, (all.columns + 1) / 2};
    const std::vector<float> expected = numbers(*original_.find(name));
    const auto stride = static_cast<std::size_t>(part.columns) + 1;
    std::vector<float> got(static_cast<std::size_t>(part.rows) * stride);
    std::vector<Bf16> short_ones(got.size());
    ASSERT_TRUE(read_slice(*own, part, got.data(), part.columns + 1));
    ASSERT_TRUE(read_slice(*own, part, short_ones.data(), part.columns + 1));
    for (std::int64_t i = 0; i < part.rows; ++i) {
      for (std::int64_t j = 0; j < part.columns; ++j) {
        const auto at = static_cast<std::size_t>(i) * stride + static_cast<std::size_t>(j);
        const float value = expected[static_cast<std::size_t>((part.row + i) * all.columns + part.column + j)];
        ASSERT_EQ(got[at], value) << name << " " << i << " " << j;
        ASSERT_EQ(to_float(short_ones[at]), value) << name;  // the models' numbers are of bf16
      }
    }
  }
}

TEST_P(GgufFamily, SaysWhatTheOriginalsConfigSays) {
  const auto text = gguf_.config_json();
  ASSERT_TRUE(text) << text.error().message;
  auto own = nlohmann::json::parse(*text), original = nlohmann::json::parse(*original_.config_json());
  // What the two write differently.
  const auto scaling = own.value("rope_scaling", nlohmann::json::object());
  const auto rope = original.value("rope_parameters", nlohmann::json::object());
  EXPECT_FLOAT_EQ(own.value("rope_theta", 0.0F), rope.value("rope_theta", 0.0F));
  for (const char* field : {"factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor"}) {
    EXPECT_EQ(scaling.value(field, 0.0), rope.value(field, 0.0)) << field;
  }
  EXPECT_EQ(scaling.value("rope_type", "default"), rope.value("rope_type", "default"));
  if (own.contains("num_experts")) {
    EXPECT_EQ(own["num_experts"], original["num_local_experts"]);
  }
  EXPECT_EQ(own["eos_token_id"], nlohmann::json::array({2}));
  EXPECT_EQ(own["bos_token_id"], 1);
  if (original.value("head_dim", nlohmann::json()).is_null()) own.erase("head_dim");
  for (const char* field : {"rope_theta", "rope_scaling", "num_experts", "eos_token_id", "bos_token_id",
                            "_name_or_path", "hidden_activation", "n_inner", "mlp_bias", "attention_bias"}) {
    own.erase(field);
  }
  for (const auto& [field, value] : own.items()) EXPECT_EQ(value, original[field]) << field;
}

INSTANTIATE_TEST_SUITE_P(, GgufFamily,
                         ::testing::Values("llama", "llama3", "mistral", "qwen2", "qwen3", "qwen3moe", "starcoder2",
                                           "gemma", "granite", "gpt2", "starcoder"),
                         [](const auto& info) { return std::string(info.param); });

TEST(GgufCheckpoint, KnowsLlamasBiasesByTheirTensors) {
  const auto config = nlohmann::json::parse(*opened(kGoldens + "llama.gguf").config_json());
  EXPECT_EQ(config["attention_bias"], true);
  EXPECT_EQ(config["mlp_bias"], true);
  EXPECT_EQ(nlohmann::json::parse(*opened(kGoldens + "llama3.gguf").config_json())["mlp_bias"], false);
}

TEST(GgufCheckpoint, GivesTheNumbersOfEveryBlockFormat) {
  const Checkpoint types = opened(kGoldens + "types.gguf");
  const auto expected = SafetensorsFile::open(kGoldens + "types.safetensors");
  ASSERT_TRUE(expected) << expected.error().message;
  ASSERT_EQ(types.names(), (*expected)->names());
  for (const std::string& name : types.names()) {
    const std::vector<float> own = numbers(*types.find(name)), right = numbers(*(*expected)->find(name));
    for (std::size_t i = 0; i < own.size(); ++i) {
      const float most = 1e-6F * (1 + std::abs(right[i]));
      ASSERT_TRUE(own[i] == right[i] || std::abs(own[i] - right[i]) <= most)
          << name << " " << i << ": " << own[i] << ", expected " << right[i];
    }
  }
}

TEST(GgufCheckpoint, TakesQ40AsItIs) {
  const Checkpoint types = opened(kGoldens + "types.gguf");
  const auto matrix = types.find_quantized("Q4_0");
  ASSERT_TRUE(matrix) << matrix.error().message;
  EXPECT_EQ(matrix->format, WeightFormat::kInt4);
  EXPECT_EQ(matrix->group, 32);
  const std::vector<float> right = numbers(*types.find("Q4_0"));
  std::vector<float> own(512);
  for (std::int64_t row = 0; row < 3; ++row) {
    dequantize_row(*matrix, row, own);
    EXPECT_TRUE(std::equal(own.begin(), own.end(), right.begin() + row * 512)) << row;
  }
  const auto part = types.find_quantized("Q4_0", {1, 2, 64, 96});
  ASSERT_TRUE(part) << part.error().message;
  dequantize_row(*part, 1, std::span(own).first(96));
  EXPECT_TRUE(std::equal(own.begin(), own.begin() + 96, right.begin() + 2 * 512 + 64));
  EXPECT_THAT(types.find_quantized("Q4_0", {0, 1, 16, 32}).error().message, HasSubstr("groups of 32 columns"));
  EXPECT_THAT(types.find_quantized("Q4_0", {0, 4, 0, 32}).error().message, HasSubstr("is [3, 512]"));
}

TEST(GgufCheckpoint, RoundsQ80AgainAndRefusesOthers) {
  const Checkpoint types = opened(kGoldens + "types.gguf");
  EXPECT_TRUE(types.is_quantized("Q8_0"));
  const auto matrix = types.find_quantized("Q8_0");
  ASSERT_TRUE(matrix) << matrix.error().message;
  EXPECT_EQ(matrix->format, WeightFormat::kInt8);
  const std::vector<float> right = numbers(*types.find("Q8_0"));
  std::vector<float> own(512);
  dequantize_row(*matrix, 2, own);
  for (std::size_t i = 0; i < own.size(); ++i) EXPECT_NEAR(own[i], right[2 * 512 + i], matrix->scales[2] * 0.501);
  EXPECT_FALSE(types.is_quantized("Q6_K"));
  EXPECT_THAT(types.find_quantized("Q6_K").error().message, HasSubstr("weight Q6_K is Q6_K [3, 512], not quantised"));
}

class GgufFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("weft_gguf_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string in(const std::string& name) const { return (folder_ / name).string(); }
  static GgufBytes part(int number, int count) {
    GgufBytes out;
    out.text("general.architecture", "qwen2");
    out.number("split.no", static_cast<std::uint32_t>(number));
    out.number("split.count", static_cast<std::uint32_t>(count));
    out.number("split.tensors.count", 2);
    const std::string name = number == 0 ? "token_embd.weight" : "output_norm.weight";
    return out.tensor(name, {2}, GgufBytes::kF32, std::string(8, '\0'));
  }
  [[nodiscard]] std::string refusal(const std::string& path) const {
    const auto checkpoint = Checkpoint::open(path);
    return checkpoint ? "" : checkpoint.error().message;
  }
  fs::path folder_;
};

TEST_F(GgufFolder, FindsThePartsOfASplitModel) {
  part(0, 2).write(in("m-00001-of-00002.gguf"));
  part(1, 2).write(in("m-00002-of-00002.gguf"));
  for (const std::string& path : {folder_.string(), in("m-00001-of-00002.gguf"), in("m-00002-of-00002.gguf")}) {
    const Checkpoint checkpoint = opened(path);
    EXPECT_THAT(checkpoint.names(), ElementsAre("model.embed_tokens.weight", "model.norm.weight")) << path;
    EXPECT_EQ(checkpoint.files().size(), 2U);
  }
}

TEST_F(GgufFolder, SaysWhatIsMissingOfASplitModel) {
  part(0, 2).write(in("m-00001-of-00002.gguf"));
  EXPECT_THAT(refusal(folder_.string()), HasSubstr("m-00002-of-00002.gguf: No such file"));
  part(0, 2).write(in("m-00002-of-00002.gguf"));
  EXPECT_THAT(refusal(folder_.string()), HasSubstr("split.no is 0, its name says 1"));
  part(1, 3).write(in("m-00002-of-00002.gguf"));
  EXPECT_THAT(refusal(folder_.string()), HasSubstr("split.count is 3, its name says 2"));
  fs::rename(in("m-00001-of-00002.gguf"), in("other.gguf"));
  EXPECT_THAT(refusal(in("other.gguf")), HasSubstr("one part of 2, without the others"));
}

TEST_F(GgufFolder, AsksWhichOfSeveralModels) {
  GgufBytes().write(in("q4.gguf"));
  GgufBytes().write(in("q8.gguf"));
  EXPECT_THAT(refusal(folder_.string()), HasSubstr("holds 2 models, name one of them: q4.gguf, q8.gguf"));
}

TEST_F(GgufFolder, ListsTheArchitecturesThatAreKnown) {
  GgufBytes().text("general.architecture", "mamba").write(in("a.gguf"));
  EXPECT_THAT(refusal(in("a.gguf")), HasSubstr("'mamba' is not known, known are llama, qwen2"));
  EXPECT_THAT(refusal(in("gone.gguf")), HasSubstr("gone.gguf: No such file"));
}

TEST_F(GgufFolder, RefusesTensorsThatAreNotWhatTheirNamePromises) {
  GgufBytes heads;
  heads.text("general.architecture", "llama")
      .number("llama.attention.head_count", 3)
      .number("llama.embedding_length", 12);
  heads.tensor("blk.0.attn_q.weight", {6, 2}, GgufBytes::kF32, std::string(48, 'x')).write(in("a.gguf"));
  EXPECT_THAT(refusal(in("a.gguf")), HasSubstr("'blk.0.attn_q.weight' has 6 rows, which are not of whole heads of 4"));
  GgufBytes experts;
  experts.text("general.architecture", "qwen3moe");
  experts.tensor("blk.0.ffn_up_exps.weight", {6, 2}, GgufBytes::kF32, std::string(48, 'x')).write(in("a.gguf"));
  EXPECT_THAT(refusal(in("a.gguf")), HasSubstr("shape [6, 2], expected [experts, out, in]"));
}

}  // namespace
}  // namespace weft::model
