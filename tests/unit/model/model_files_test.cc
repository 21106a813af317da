// Whole models from the files that people have: GGUF gives what the safetensors give that it was made from, and every
// family's files are found to be in order.
#include "model/model_files.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "model/inspect.h"
#include "model/load_runner.h"
#include "model/parallel/communicator.h"
#include "model/runner.h"
#include "model/weights/quantize_checkpoint.h"
#include "model/weights/safetensors.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;

const std::string kParity = std::string(WEFT_SOURCE_DIR) + "/tests/parity/";

std::vector<float> logits_of(const std::string& path) {
  const auto config = read_config(path);
  EXPECT_TRUE(config) << config.error().message;
  LoadOptions options;
  options.directory = path;
  options.dtype = DType::kFloat32;
  options.threads = 1;
  const auto runner = load_runner(*config, options, std::make_shared<SoloCommunicator>());
  EXPECT_TRUE(runner) << runner.error().message;
  StepSequence text{SequenceId(1), Position(0), {}};
  for (const int id : {5, 17, 3, 29, 11, 38, 2, 7}) text.tokens.emplace_back(id);
  const auto result = (*runner)->step({.sequences = {text}});
  EXPECT_TRUE(result) << result.error().message;
  return result->logits;
}

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], 1e-5 * std::max(1.0F, std::abs(expected[i]))) << i;
  }
}

class Gguf : public testing::TestWithParam<const char*> {};

TEST_P(Gguf, RunsAsTheSafetensorsThatItWasMadeFrom) {
  expect_near(logits_of(kParity + "gguf/" + GetParam() + ".gguf"), logits_of(kParity + "gguf/" + GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Families, Gguf,
                         testing::Values("gemma", "gpt2", "granite", "llama", "llama3", "mistral", "qwen2", "qwen3",
                                         "qwen3moe", "starcoder", "starcoder2"));

// What is wrong with a golden is that it has no tokenizer; all its tensors are in order and used.
class Inspected : public testing::TestWithParam<std::string> {};

TEST_P(Inspected, HasEveryTensorAndNoOther) {
  const ModelReport report = inspect(kParity + "golden/" + GetParam());
  EXPECT_TRUE(report.missing.empty() && report.misshapen.empty() && report.unused.empty()) << report.refusal;
  EXPECT_EQ(report.memory.fp32, 4 * report.parameters);
  EXPECT_LE(report.memory.int4, report.memory.int8);
  EXPECT_NE(report.refusal.find("tokenizer"), std::string::npos) << report.refusal;
}

std::vector<std::string> goldens() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(kParity + "golden")) out.push_back(entry.path().filename().string());
  std::ranges::sort(out);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Goldens, Inspected, testing::ValuesIn(goldens()), [](const auto& info) { return info.param; });

class OwnFolder : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  const std::string folder_ = testing::TempDir() + "model_files_test";
};

TEST_F(OwnFolder, ABodyWithoutItsPrefixIsInOrderAndRuns) {
  const std::string golden = kParity + "golden/gpt2";
  const auto file = SafetensorsFile::open(golden + "/model.safetensors");
  ASSERT_TRUE(file);
  std::vector<NamedTensorView> tensors;
  constexpr std::string_view kPrefix = "transformer.";
  for (const std::string& name : (*file)->names()) {
    ASSERT_TRUE(name.starts_with(kPrefix)) << name;
    tensors.push_back({name.substr(kPrefix.size()), *(*file)->find(name)});
  }
  fs::create_directories(folder_);
  fs::copy_file(golden + "/config.json", folder_ + "/config.json");
  ASSERT_TRUE(write_safetensors(folder_ + "/model.safetensors", tensors));
  const ModelReport report = inspect(folder_);
  EXPECT_TRUE(report.missing.empty() && report.misshapen.empty() && report.unused.empty()) << report.refusal;
  EXPECT_EQ(logits_of(folder_), logits_of(golden));
}

// GPT-2's linears are stored [in, out], its quantised ones [out, in].
TEST_F(OwnFolder, QuantisedLinearsOfGpt2AreInOrder) {
  QuantizeOptions options{.from = kParity + "golden/gpt2", .to = folder_, .format = {}};
  const auto quantized = quantize_checkpoint(options, {}, CancelFlag());
  ASSERT_TRUE(quantized) << quantized.error().message;
  const ModelReport report = inspect(folder_);
  EXPECT_TRUE(report.missing.empty() && report.misshapen.empty() && report.unused.empty()) << report.refusal;
  EXPECT_EQ(logits_of(folder_).size(), 128U);
}

}  // namespace
}  // namespace weft::model
