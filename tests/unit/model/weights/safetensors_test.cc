// safetensors: what is written is read back, and a damaged file is refused with what is wrong and where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <sstream>

#include "model/weights/checkpoint.h"
#include "model/weights/safetensors.h"

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Safetensors : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("weft_weights_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    path_ = (folder_ / "model.safetensors").string();
    std::iota(numbers_.begin(), numbers_.end(), 0.5F);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] NamedTensorView matrix(const std::string& name) const {
    return {name, {Dtype::kF32, {2, 3}, std::as_bytes(std::span(numbers_))}};
  }
  // A file of the given header and as many data bytes.
  void put(const std::string& header, std::size_t data_bytes) {
    const std::uint64_t length = header.size();
    std::ofstream out(path_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(&length), sizeof length);
    out << header << std::string(data_bytes, 'x');
  }
  [[nodiscard]] std::string refusal() const {
    const auto file = SafetensorsFile::open(path_);
    return file ? "" : file.error().message;
  }
  [[nodiscard]] std::string content() const {
    std::ifstream in(path_, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }

  fs::path folder_;
  std::string path_;
  std::array<float, 6> numbers_{};
};

TEST_F(Safetensors, ReadsBackWhatWasWritten) {
  const std::array<std::int64_t, 2> ids{7, -1};
  const std::array<std::uint16_t, 1> halves{0x3F80};
  ASSERT_TRUE(write_safetensors(path_,
                                {matrix("b.weight"),
                                 {"a.ids", {Dtype::kI64, {2}, std::as_bytes(std::span(ids))}},
                                 {"half", {Dtype::kBf16, {}, std::as_bytes(std::span(halves))}},
                                 {"none", {Dtype::kF16, {0, 4}, {}}}},
                                {{"format", "pt"}, {"step", "12"}}));
  const auto file = SafetensorsFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT((*file)->names(), ElementsAre("a.ids", "b.weight", "half", "none"));
  EXPECT_EQ((*file)->metadata().at("step"), "12");
  const auto weight = (*file)->find("b.weight");
  ASSERT_TRUE(weight);
  EXPECT_EQ(weight->dtype, Dtype::kF32);
  EXPECT_THAT(weight->shape, ElementsAre(2, 3));
  EXPECT_EQ(std::memcmp(weight->data.data(), numbers_.data(), sizeof numbers_), 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(weight->data.data()) % 8, 0U);
  EXPECT_EQ((*file)->find("half")->shape.size(), 0U);
  EXPECT_EQ((*file)->find("none")->data.size(), 0U);
}

TEST_F(Safetensors, NamesTheTensorThatIsNotThere) {
  ASSERT_TRUE(write_safetensors(path_, {matrix("a")}));
  const auto missing = (*SafetensorsFile::open(path_))->find("lm_head.weight");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("'lm_head.weight'"));
}

TEST_F(Safetensors, RefusesToWriteWhatCouldNotBeRead) {
  const auto twice = write_safetensors(path_, {matrix("a"), matrix("a")});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("'a' is given twice"));
  auto wrong = matrix("a");
  wrong.tensor.shape = {5};
  EXPECT_FALSE(write_safetensors(path_, {wrong}));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(Safetensors, LeavesTheOldFileWhenWritingFails) {
  ASSERT_TRUE(write_safetensors(path_, {matrix("a")}));
  const std::string before = content();
  ASSERT_FALSE(write_safetensors(path_, {matrix("b"), matrix("b")}));
  EXPECT_EQ(content(), before);
  const auto nowhere = write_safetensors((folder_ / "no" / "model.safetensors").string(), {matrix("a")});
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().message, HasSubstr("No such file"));
}

TEST_F(Safetensors, LeavesNoTemporaryFileBehind) {
  ASSERT_TRUE(write_safetensors(path_, {matrix("a")}));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(Safetensors, RefusesEveryTruncation) {
  ASSERT_TRUE(write_safetensors(path_, {matrix("a"), matrix("b")}));
  const std::string whole = content();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::ofstream(path_, std::ios::binary) << whole.substr(0, size);
    EXPECT_THAT(refusal(), HasSubstr("safetensors")) << size << " of " << whole.size();
  }
  std::ofstream(path_, std::ios::binary) << whole << "more";
  EXPECT_THAT(refusal(), HasSubstr("4 bytes after the last tensor"));
}

TEST_F(Safetensors, SurvivesAnyDamageToTheHeader) {
  ASSERT_TRUE(write_safetensors(path_, {matrix("a"), matrix("b")}, {{"format", "pt"}}));
  const std::string whole = content();
  const std::size_t header_end = whole.size() - 2 * sizeof numbers_;
  std::mt19937 random(3);
  for (int i = 0; i < 400; ++i) {
    std::string damaged = whole;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      damaged[random() % header_end] = static_cast<char>(random());
    }
    std::ofstream(path_, std::ios::binary) << damaged;
    const auto file = SafetensorsFile::open(path_);
    if (!file) continue;
    std::size_t bytes = 0;  // what opens is whole: its tensors fill the file
    for (const std::string& name : (*file)->names()) bytes += (*file)->find(name)->data.size();
    EXPECT_EQ(bytes, 2 * sizeof numbers_);
  }
}

TEST_F(Safetensors, RefusesAHeaderLongerThanTheFile) {
  const std::uint64_t length = ~std::uint64_t{0};
  std::ofstream(path_, std::ios::binary).write(reinterpret_cast<const char*>(&length), sizeof length);
  EXPECT_THAT(refusal(), HasSubstr("promises a header of 18446744073709551615 bytes"));
}

TEST_F(Safetensors, SaysWhatIsWrongInAHeader) {
  struct Case {
    std::string header;
    std::size_t data;
    std::string said;
  };
  for (
      const Case& bad : std::vector<Case>{
          {"{", 0, "not a JSON object"},
          {"[]", 0, "not a JSON object"},
          {R"({"a":1})", 0, "'a' is not described by an object"},
          {R"({"a":{"dtype":"F32","shape":[1]}})", 4, "'a' has no data_offsets"},
          {R"({"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}})", 1,
           "dtype F8, known are F32, BF16, F16, I64, I32, I8, U8"},
          {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "shape [-1]"},
          {R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, "shape [1.5]"},
          {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "shape [2] but has 4 bytes"},
          {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0, "but has 0 bytes"},
          {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "data_offsets [4,0]"},
          {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,400]}})", 4, "ends at byte 400 of 4"},
          {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "4 bytes between the header"},
          {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
           12, "tensors 'a' and 'b' overlap at byte 4"},
          {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
           8, "'a' stands twice"},
          {R"({"__metadata__":{"step":3}})", 0, "__metadata__ 'step' is not a string"}}) {
    put(bad.header, bad.data);
    EXPECT_THAT(refusal(), HasSubstr(bad.said)) << bad.header;
  }
}

TEST_F(Safetensors, FindsTensorsInTheShardsThatTheIndexNames) {
  const auto in = [this](const std::string& name) { return (folder_ / name).string(); };
  ASSERT_TRUE(write_safetensors(in("one.safetensors"), {matrix("a")}));
  ASSERT_TRUE(write_safetensors(in("two.safetensors"), {matrix("b")}));
  std::ofstream(in("model.safetensors.index.json"))
      << R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})";
  const auto checkpoint = Checkpoint::open(folder_.string());
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_THAT(checkpoint->names(), ElementsAre("a", "b"));
  EXPECT_TRUE(checkpoint->find("b"));
  const auto missing = checkpoint->find("model.norm.weight");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("'model.norm.weight'"));
}

TEST_F(Safetensors, RefusesAnIndexThatDoesNotFitItsShards) {
  const auto in = [this](const std::string& name) { return (folder_ / name).string(); };
  const auto said = [&](const std::string& index) {
    std::ofstream(in("model.safetensors.index.json")) << index;
    const auto checkpoint = Checkpoint::open(folder_.string());
    return checkpoint ? std::string() : checkpoint.error().message;
  };
  ASSERT_TRUE(write_safetensors(in("one.safetensors"), {matrix("a")}));
  EXPECT_THAT(said("{}"), HasSubstr("no weight_map"));
  EXPECT_THAT(said(R"({"weight_map":{"b":"one.safetensors"}})"), HasSubstr("no tensor 'b'"));
  EXPECT_THAT(said(R"({"weight_map":{"a":"gone.safetensors"}})"), HasSubstr("gone.safetensors"));
  EXPECT_THAT(said(R"({"weight_map":{"a":"../one.safetensors"}})"), HasSubstr("a file of the same folder"));
}

TEST_F(Safetensors, SaysWhenAFolderHoldsNoModel) {
  const auto checkpoint = Checkpoint::open(folder_.string());
  ASSERT_FALSE(checkpoint);
  EXPECT_THAT(checkpoint.error().message, HasSubstr("holds no model"));
}

}  // namespace
}  // namespace weft::model
