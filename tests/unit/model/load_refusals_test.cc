// What a damaged model says when it is loaded, in every precision: an error that names the file or folder, the tensor
// and the numbers. How each format's reader finds damage is tests/unit/model/weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include <nlohmann/json.hpp>

#include "model/load_runner.h"
#include "model/model_files.h"
#include "model/runner.h"
#include "model/weights/quantize_checkpoint.h"
#include "model/weights/safetensors.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const fs::path kDefault = fs::path(WEFT_SOURCE_DIR) / "model/default";
const fs::path kGoldens = fs::path(WEFT_SOURCE_DIR) / "tests/parity/golden";
constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

class LoadRefusals : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A copy of the model in fp32 with one number changed.
  void copy_with(const fs::path& model, const std::string& tensor, std::size_t index, float value) const {
    for (const char* file : {"config.json", "tokenizer.model"}) {
      if (fs::exists(model / file)) fs::copy_file(model / file, folder_ / file, fs::copy_options::overwrite_existing);
    }
    const auto file = SafetensorsFile::open((model / "model.safetensors").string());
    ASSERT_TRUE(file);
    std::vector<std::vector<float>> values;
    std::vector<NamedTensorView> tensors;
    for (const std::string& name : (*file)->names()) {
      TensorView view = *(*file)->find(name);
      const TensorSlice all = whole(view);
      std::vector<float>& numbers = values.emplace_back(static_cast<std::size_t>(all.rows * all.columns));
      ASSERT_TRUE(read_rows(view, 0, all.rows, numbers.data()));
      if (name == tensor) numbers.at(index) = value;
      tensors.push_back({name, {Dtype::kF32, view.shape, std::as_bytes(std::span(numbers))}});
    }
    ASSERT_TRUE(write_safetensors((folder_ / "model.safetensors").string(), tensors));
  }
  void copy_default() const {
    for (const char* file : {"config.json", "tokenizer.model", "model.safetensors"}) {
      fs::copy_file(kDefault / file, folder_ / file, fs::copy_options::overwrite_existing);
    }
  }
  void change_config(const std::string& field, const nlohmann::json& value) const {
    auto config = nlohmann::json::parse(std::ifstream(folder_ / "config.json"));
    config[field] = value;
    std::ofstream(folder_ / "config.json") << config;
  }

  [[nodiscard]] std::string refusal(DType dtype = DType::kAuto) const {
    LoadOptions options;
    options.directory = folder_.string();
    options.dtype = dtype;
    options.threads = 1;
    const auto loaded = load_model(options);
    return loaded ? "" : loaded.error().message;
  }
  // Of a folder without a tokenizer.
  [[nodiscard]] std::string runner_refusal(DType dtype) const {
    const auto config = read_config(folder_.string());
    EXPECT_TRUE(config);
    LoadOptions options;
    options.directory = folder_.string();
    options.dtype = dtype;
    options.threads = 1;
    const auto loaded = load_runner(*config, options, std::make_shared<SoloCommunicator>());
    return loaded ? "" : loaded.error().message;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / "load_refusals_test";
};

constexpr DType kEveryPrecision[] = {DType::kFloat32, DType::kBFloat16, DType::kInt8, DType::kInt4};

TEST_F(LoadRefusals, ALinearThatIsNotFinite) {
  const std::size_t row = 70, column = 11, columns = 256;
  for (const auto& [value, shown] : {std::pair(kNan, "nan"), std::pair(-kInfinity, "-inf")}) {
    copy_with(kDefault, "model.layers.1.mlp.up_proj.weight", row * columns + column, value);
    for (const DType dtype : kEveryPrecision) {
      EXPECT_THAT(
          refusal(dtype),
          AllOf(HasSubstr(folder_.string()),
                HasSubstr(fmt::format("weight model.layers.1.mlp.up_proj.weight holds {} at [70, 11]", shown))));
    }
  }
}

TEST_F(LoadRefusals, ANormOrAnEmbeddingThatIsNotFinite) {
  copy_with(kDefault, "model.norm.weight", 7, kNan);
  for (const DType dtype : kEveryPrecision) {
    EXPECT_THAT(refusal(dtype), HasSubstr("weight model.norm.weight holds nan at [7]"));
  }
  copy_with(kDefault, "model.embed_tokens.weight", 256 * 100 + 5, kInfinity);
  for (const DType dtype : kEveryPrecision) {
    EXPECT_THAT(refusal(dtype), HasSubstr("weight model.embed_tokens.weight holds inf at [100, 5]"));
  }
}

// An embedding that is no head too, of ranks' slices and of whole ones.
TEST_F(LoadRefusals, WhatLibTorchReadsThatIsNotFinite) {
  copy_with(kGoldens / "qwen3", "model.embed_tokens.weight", 64 * 9 + 63, kNan);
  EXPECT_THAT(runner_refusal(DType::kBFloat16), HasSubstr("weight model.embed_tokens.weight holds nan at [9, 63]"));
  copy_with(kGoldens / "t5", "encoder.block.0.layer.1.DenseReluDense.wi.weight", 32 * 2 + 1, kNan);
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    EXPECT_THAT(runner_refusal(dtype), HasSubstr("DenseReluDense.wi.weight holds nan at [2, 1]"));
  }
}

// GPT-2's linears are stored [in, out]: the place is the file's.
TEST_F(LoadRefusals, APartOfAFusedAndTransposedLinearThatIsNotFinite) {
  copy_with(kGoldens / "gpt2", "transformer.h.1.attn.c_attn.weight", 192 * 3 + 130, kNan);
  for (const DType dtype : kEveryPrecision) {
    EXPECT_THAT(runner_refusal(dtype), HasSubstr("weight transformer.h.1.attn.c_attn.weight holds nan at [3, 130]"));
  }
}

TEST_F(LoadRefusals, AQuantisedWeightWhoseScaleIsNotFinite) {
  for (const WeightFormat format : {WeightFormat::kInt8, WeightFormat::kInt4}) {
    fs::remove_all(folder_);
    const QuantizeOptions options{.from = kGoldens / "qwen3", .to = folder_.string(), .format = {format}};
    ASSERT_TRUE(quantize_checkpoint(options, {}, CancelFlag()));
    const std::string path = (folder_ / "model.safetensors").string();
    std::vector<std::vector<std::byte>> bytes;
    std::vector<NamedTensorView> tensors;
    {
      const auto file = SafetensorsFile::open(path);
      ASSERT_TRUE(file);
      for (const std::string& name : (*file)->names()) {
        TensorView view = *(*file)->find(name);
        auto& copy = bytes.emplace_back(view.data.begin(), view.data.end());
        if (name == "model.layers.0.mlp.down_proj.weight_scale") std::memset(copy.data(), 0xFF, 4);
        view.data = copy;
        tensors.push_back({name, view});
      }
    }
    ASSERT_TRUE(write_safetensors(path, tensors));
    EXPECT_THAT(runner_refusal(DType::kAuto),
                HasSubstr("weight model.layers.0.mlp.down_proj.weight has a scale that is not finite: "));
  }
}

TEST_F(LoadRefusals, ATokenizerOfAnotherModel) {
  fs::copy_file(kGoldens / "llama/config.json", folder_ / "config.json");
  fs::copy_file(kGoldens / "llama/model.safetensors", folder_ / "model.safetensors");
  fs::copy_file(kDefault / "tokenizer.model", folder_ / "tokenizer.model");
  EXPECT_THAT(refusal(), AllOf(HasSubstr(folder_.string()),
                               HasSubstr("the tokenizer has 8192 tokens, config.json a vocabulary of 128")));
}

TEST_F(LoadRefusals, AVocabularyThatTheWeightsDoNotHave) {
  copy_default();
  change_config("vocab_size", 9000);
  EXPECT_THAT(refusal(), AllOf(HasSubstr(folder_.string()),
                               HasSubstr("weight model.embed_tokens.weight has shape [8192, 256], config.json asks for "
                                         "[9000, 256]")));
}

TEST_F(LoadRefusals, AFileThatIsCutOffAndAShardThatIsGone) {
  copy_default();
  fs::resize_file(folder_ / "model.safetensors", 1'000'000);
  EXPECT_THAT(refusal(), AllOf(HasSubstr((folder_ / "model.safetensors").string()), HasSubstr("of 9"),
                               HasSubstr("the file is truncated")));
  fs::remove(folder_ / "model.safetensors");
  std::ofstream(folder_ / "model.safetensors.index.json")
      << R"({"weight_map": {"model.norm.weight": "model-00001-of-00002.safetensors"}})";
  EXPECT_THAT(refusal(), HasSubstr((folder_ / "model-00001-of-00002.safetensors").string()));
}

}  // namespace
}  // namespace weft::model
