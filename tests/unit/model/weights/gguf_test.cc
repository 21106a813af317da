// GGUF files: a damaged one is refused with what is wrong and where; a whole one gives its tensors and what it says.
#include "model/weights/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/model/weights/gguf_bytes.h"

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Expected<GgufContents> parse(const std::string& bytes) {
  return parse_gguf(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

std::string refusal(const GgufBytes& file) {
  const auto contents = parse(file.bytes());
  return contents ? "" : contents.error().message;
}

TEST(Gguf, GivesMetadataAndTensors) {
  const std::string bytes = GgufBytes()
                                .text("general.architecture", "llama")
                                .number("llama.block_count", 7)
                                .real("llama.attention.layer_norm_rms_epsilon", 1e-6F)
                                .flag("tokenizer.ggml.add_bos_token", true)
                                .texts("tokenizer.ggml.tokens", {"a", "", "bc"})
                                .tensor("blk.0.ffn_up.weight", {2, 3}, GgufBytes::kF32, std::string(24, '\1'))
                                .tensor("b", {1, 32}, GgufBytes::kQ8_0, std::string(34, '\2'))
                                .bytes();
  const auto contents = parse(bytes);
  ASSERT_TRUE(contents) << contents.error().message;
  EXPECT_EQ(contents->metadata.architecture(), "llama");
  EXPECT_EQ(contents->metadata.integer("llama.block_count"), 7);
  EXPECT_EQ(contents->metadata.number("llama.attention.layer_norm_rms_epsilon"), 1e-6);  // not the nearest float
  EXPECT_EQ(contents->metadata.flag("tokenizer.ggml.add_bos_token"), true);
  EXPECT_THAT(*contents->metadata.find<std::vector<std::string>>("tokenizer.ggml.tokens"), ElementsAre("a", "", "bc"));
  const TensorView& up = contents->tensors.find("blk.0.ffn_up.weight")->second;
  EXPECT_THAT(up.shape, ElementsAre(2, 3));
  EXPECT_EQ(up.data.size(), 24U);
  EXPECT_EQ(contents->tensors.find("b")->second.dtype, Dtype::kQ8_0);
  EXPECT_EQ(std::to_integer<int>(contents->tensors.find("b")->second.data[0]), 2);
}

TEST(Gguf, SaysWhatIsWrong) {
  const auto f32 = [](const std::vector<std::uint64_t>& shape, std::uint64_t offset) {
    return GgufBytes().tensor("a", {8}, GgufBytes::kF32, std::string(32, 'x')).describe("b", shape, 0, offset);
  };
  GgufBytes old, strange, many_tensors, many_keys;
  old.version = 1;
  strange.version = 3U << 24U;
  many_tensors.tensor_count = std::uint64_t{1} << 60U;
  many_keys.pair_count = std::uint64_t{1} << 60U;
  const std::string huge(8, '\xFF');
  const std::vector<std::pair<GgufBytes, std::string>> cases{
      {old, "version 1 is not read, only 2 to 3"},
      {strange, "big-endian"},
      {many_tensors, "1152921504606846976 tensors at byte 16"},
      {many_keys, "1152921504606846976 keys at byte 24"},
      {GgufBytes().number("a", 1).number("a", 2), "key 'a' stands twice"},
      {GgufBytes().raw("a", 13, ""), "a value of type 13"},
      {GgufBytes().raw("a", GgufBytes::kString, huge), "a text of 18446744073709551615 bytes"},
      {GgufBytes().raw("a", GgufBytes::kArray, std::string("\x09\0\0\0", 4) + huge), "a list of type 9"},
      {GgufBytes().raw("a", GgufBytes::kArray, std::string("\x0A\0\0\0", 4) + huge),
       "18446744073709551615 list entries"},
      {GgufBytes().number("general.alignment", 24), "general.alignment is 24, expected a power of 2"},
      {f32({8}, 0), "tensors 'a' and 'b' overlap at byte 0"},
      {f32({8}, 8), "'b' begins at byte 8, no multiple of 32"},
      {f32({8}, 32), "'b' of 32 bytes begins at byte 32 of 32: the file is truncated"},
      {f32({8}, ~std::uint64_t{31}), "the file is truncated"},
      {f32({std::uint64_t{1} << 62U, 4}, 32), "'b' of shape [4611686018427387904, 4] cannot be F32"},
      {f32({0, std::uint64_t{1} << 62U, 4}, 32), "'b' of shape [0, 4611686018427387904, 4] cannot be F32"},
      {f32({~std::uint64_t{0}}, 32), "has a side of 18446744073709551615"},
      {f32({1, 1, 1, 1, 1}, 32), "has 5 dimensions, at most 4"},
      {GgufBytes().tensor("a", {2, 48}, GgufBytes::kQ8_0, std::string(102, 'x')),
       "'a' of shape [2, 48] cannot be Q8_0"},
      {GgufBytes().tensor("a", {32}, GgufBytes::kQ8_0, std::string(34, 'x')), "'a' of shape [32] cannot be Q8_0"},
      {GgufBytes().tensor("a", {1, 256}, GgufBytes::kQ2_K, std::string(84, 'x')),
       "'a' is of type Q2_K, which weft does not"},
      {GgufBytes().tensor("a", {1}, 99, "xxxx"), "of type 99"},
      {GgufBytes().tensor("a", {1}, 0, "xxxx").tensor("a", {1}, 0, "xxxx"), "tensor 'a' stands twice"}};
  for (const auto& [file, said] : cases) EXPECT_THAT(refusal(file), HasSubstr(said));
  EXPECT_THAT(parse("GGML and more").error().message, HasSubstr("does not begin with GGUF"));
}

TEST(Gguf, RefusesEveryTruncation) {
  const std::string whole = GgufBytes()
                                .text("general.architecture", "llama")
                                .texts("tokenizer.ggml.tokens", {"a", "bc"})
                                .tensor("a", {8}, GgufBytes::kF32, std::string(32, 'x'))
                                .bytes();
  ASSERT_TRUE(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse(whole.substr(0, size))) << size << " of " << whole.size();
  }
}

TEST(Gguf, SurvivesAnyDamageToTheHeader) {
  const std::string whole = GgufBytes()
                                .text("general.architecture", "llama")
                                .number("general.alignment", 32)
                                .texts("tokenizer.ggml.tokens", {"a", "bc"})
                                .tensor("a", {2, 32}, GgufBytes::kQ4_0, std::string(36, 'x'))
                                .tensor("b", {8}, GgufBytes::kF32, std::string(32, 'x'))
                                .bytes();
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = whole;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      damaged[4 + random() % (damaged.size() - 100)] = static_cast<char>(random());
    }
    const auto contents = parse(damaged);
    if (!contents) continue;
    for (const auto& [name, view] : contents->tensors) EXPECT_EQ(byte_count(view.dtype, view.shape), view.data.size());
  }
}

}  // namespace
}  // namespace weft::model
