// The order of an infilling prompt, by family, with and without other files.
#include "generation/completion/fim_prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "model/config/fim_formats.h"

namespace weft::generation {
namespace {

using model::FimFormat;
using testing::HasSubstr;

// Bytes are tokens; control tokens have ids from 1000 on. A text's start is told by a byte in front.
class Letters final : public model::Tokenizer {
 public:
  explicit Letters(std::vector<std::string> controls) : controls_(std::move(controls)) {}
  [[nodiscard]] std::size_t vocabulary() const override { return 2000; }
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const override {
    std::vector<TokenId> out;
    for (const char c : text) out.emplace_back(static_cast<unsigned char>(c));
    return out;
  }
  [[nodiscard]] std::string_view bytes(TokenId) const override { return ""; }
  [[nodiscard]] std::optional<TokenId> control(std::string_view name) const override {
    for (std::size_t i = 0; i < controls_.size(); ++i) {
      if (controls_[i] == name) return TokenId(static_cast<std::int32_t>(1000 + i));
    }
    return std::nullopt;
  }
  [[nodiscard]] std::string written(const std::vector<TokenId>& ids) const {
    std::string out;
    for (const TokenId id : ids) {
      out += id.value() < 1000 ? std::string(1, static_cast<char>(id.value()))
                               : controls_[static_cast<std::size_t>(id.value() - 1000)];
    }
    return out;
  }

 private:
  std::vector<std::string> controls_;
};

struct Family {
  std::string architecture;
  std::vector<std::string> controls;
};

const std::map<std::string, Family>& families() {
  static const std::map<std::string, Family> all{
      {"Qwen2.5-Coder",
       {"Qwen2ForCausalLM",
        {"<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>",
         "<|file_sep|>"}}},
      {"CodeGemma", {"GemmaForCausalLM", {"<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|file_separator|>"}}},
      {"Granite 4", {"GraniteForCausalLM", {"<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>"}}},
      {"StarCoder2",
       {"Starcoder2ForCausalLM", {"<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<file_sep>", "<repo_name>"}}},
      {"StarCoder",
       {"GPTBigCodeForCausalLM",
        {"<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<filename>", "<reponame>", "<gh_stars>"}}},
      {"Mellum", {"LlamaForCausalLM", {"<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<filename>"}}},
      {"SantaCoder", {"GPTBigCodeForCausalLM", {"<fim-prefix>", "<fim-middle>", "<fim-suffix>"}}},
      {"CodeLlama", {"LlamaForCausalLM", {"▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>"}}},
      {"DeepSeek-Coder", {"LlamaForCausalLM", {"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"}}},
      {"Codestral", {"MistralForCausalLM", {"[PREFIX]", "[SUFFIX]", "</s>"}}},
      {"GPT-2", {"GPT2LMHeadModel", {"<|endoftext|>"}}},
  };
  return all;
}

FimFormat format_of(const std::string& family) {
  const Family& each = families().at(family);
  return model::find_fim_format(*model::find_architecture(each.architecture), [&](std::string_view token) {
    return std::ranges::find(each.controls, token) != each.controls.end();
  });
}

std::string laid_out(const std::string& family, bool with_context) {
  const Letters letters(families().at(family).controls);
  FimParts parts{.prefix = letters.encode("P"), .suffix = letters.encode("S")};
  if (with_context) {
    parts.repository = "repo";
    parts.context = {{"a.py", "A"}, {"b.py", "B"}};
    parts.path = "c.py";
  }
  const auto tokens = lay_out(parts, format_of(family), letters);
  EXPECT_TRUE(tokens) << tokens.error().message;
  return tokens ? letters.written(*tokens) : "";
}

TEST(FimPrompt, IsInTheFamilysOrder) {
  EXPECT_EQ(laid_out("Qwen2.5-Coder", false), "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>");
  EXPECT_EQ(laid_out("CodeGemma", false), "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>");
  EXPECT_EQ(laid_out("Granite 4", false), "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>");
  EXPECT_EQ(laid_out("StarCoder2", false), "<fim_prefix>P<fim_suffix>S<fim_middle>");
  EXPECT_EQ(laid_out("StarCoder", false), "<fim_prefix>P<fim_suffix>S<fim_middle>");
  EXPECT_EQ(laid_out("Mellum", false), "<fim_suffix>S<fim_prefix>P<fim_middle>");
  EXPECT_EQ(laid_out("SantaCoder", false), "<fim-prefix>P<fim-suffix>S<fim-middle>");
  EXPECT_EQ(laid_out("CodeLlama", false), "▁<PRE>P▁<SUF>S▁<MID>");
  EXPECT_EQ(laid_out("DeepSeek-Coder", false), "<｜fim▁begin｜>P<｜fim▁hole｜>S<｜fim▁end｜>");
  EXPECT_EQ(laid_out("Codestral", false), "[SUFFIX]S[PREFIX]P");
  EXPECT_FALSE(format_of("GPT-2").available());
}

TEST(FimPrompt, AnnouncesOtherFilesAsTheFamilyDoes) {
  EXPECT_EQ(laid_out("Qwen2.5-Coder", true),
            "<|repo_name|>repo\n<|file_sep|>a.py\nA<|file_sep|>b.py\nB<|file_sep|>c.py\n"
            "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>");
  EXPECT_EQ(laid_out("StarCoder2", true),
            "<repo_name>repo<file_sep>a.py\nA<file_sep>b.py\nB<file_sep><fim_prefix>c.py\nP<fim_suffix>S<fim_middle>");
  EXPECT_EQ(laid_out("CodeGemma", true),
            "A<|file_separator|>B<|file_separator|><|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>");
  EXPECT_EQ(laid_out("Mellum", true),
            "<filename>a.py\nA<filename>b.py\nB<filename>c.py\n<fim_suffix>S<fim_prefix>P<fim_middle>");
  EXPECT_EQ(laid_out("DeepSeek-Coder", true), "<｜fim▁begin｜>#a.py\nA#b.py\nB#c.py\nP<｜fim▁hole｜>S<｜fim▁end｜>");
  EXPECT_EQ(laid_out("Codestral", true), "[SUFFIX]S[PREFIX]+++++ a.py\nA+++++ b.py\nB+++++ c.py\nP");
  EXPECT_EQ(laid_out("CodeLlama", true), laid_out("CodeLlama", false));
}

TEST(FimPrompt, NamesTheControlTokenThatTheTokenizerLacks) {
  const Letters letters({"<p>", "<s>"});
  const auto refused = lay_out({}, {.prefix = "<p>", .suffix = "<s>", .middle = "<m>", .stops = {}}, letters);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("<m>"));
}

TEST(FimPrompt, TheFamiliesThatPutASpaceInFrontOfATextSaySo) {
  EXPECT_TRUE(format_of("CodeLlama").starts_prefix && format_of("Codestral").starts_prefix);
  EXPECT_FALSE(format_of("Qwen2.5-Coder").starts_prefix || format_of("CodeGemma").starts_prefix);
}

}  // namespace
}  // namespace weft::generation
