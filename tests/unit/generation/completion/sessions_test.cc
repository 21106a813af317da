// What a document's KV saves: through the completion service, in tokens that the model computes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/support/word_tokenizer.h"
#include "tests/unit/generation/completion/rig.h"

namespace weft::test {
namespace {

using model::FimLayout;

// Two documents of one editor, typed in at their ^. The model writes something else after every history, so that no
// answer is taken from what was offered before.
class Sessions : public testing::Test {
 protected:
  static std::string document(std::string_view name) {
    std::string text = "import os\n\n\n";
    for (int i = 0; i < 8; ++i) text += fmt::format("def {}{}(x):\n    return x\n\n\n", name, i);
    text += "value = ^\n\n\nprint(value)\n";
    return text;
  }
  // What of the prompt was computed for this request.
  std::size_t prefilled(std::string_view annotated, const std::string& path) {
    const auto result = rig_.complete(request_at(annotated, path));
    EXPECT_FALSE(result.timings.from_cache);
    prompt_tokens_ = result.timings.prompt_tokens;
    return result.timings.prefilled_tokens;
  }
  static std::string with_typed(std::string_view annotated, std::string_view typed) {
    const std::size_t cursor = annotated.find('^');
    return fmt::format("{}{}{}", annotated.substr(0, cursor), typed, annotated.substr(cursor));
  }
  static generation::CompletionOptions short_answers() {
    generation::CompletionOptions options;
    options.max_new_tokens = 4;
    return options;
  }

  Rig rig_{hashed_script(), short_answers(), FimLayout::kSpm};
  std::size_t prompt_tokens_ = 0;
};

TEST_F(Sessions, AKeyComputesTheKey) {
  const std::string text = document("f");
  EXPECT_EQ(prefilled(text, "a.py"), prompt_tokens_);
  EXPECT_EQ(prefilled(with_typed(text, "o"), "a.py"), 1U);
  EXPECT_EQ(prefilled(with_typed(text, "os."), "a.py"), 2U);
  EXPECT_EQ(prefilled(with_typed(text, "os"), "a.py"), 1U);  // taken back: the last token's logits alone
}

TEST_F(Sessions, ComingBackToADocumentComputesWhatChanged) {
  const std::string a = document("f"), b = document("g");
  prefilled(a, "a.py");
  EXPECT_LT(prefilled(b, "b.py"), prompt_tokens_);  // both begin alike
  EXPECT_EQ(prefilled(with_typed(b, "1"), "b.py"), 1U);
  EXPECT_EQ(prefilled(with_typed(a, "o"), "a.py"), 1U);
  EXPECT_EQ(prefilled(with_typed(b, "12"), "b.py"), 1U);
  EXPECT_EQ(rig_.runner->broken_plans(), 0U);
}

// A word is one token, and what the cursor is in is none of the prompt's.
TEST(SessionsInWords, AnotherLetterOfAWordComputesNoPrompt) {
  const auto tokenizer = std::make_shared<WordTokenizer>(std::vector<std::string>{"value", "valuation", "    "});
  generation::CompletionOptions options;
  options.max_new_tokens = 4;
  const Rig rig(hashed_script(tokenizer->vocabulary()), options, FimLayout::kSpm, tokenizer);
  const auto prefilled = [&](std::string_view typed) {
    const std::string text = fmt::format("def f(x):\n    return x\n\n\ny = {}^\n", typed);
    return rig.complete(request_at(text)).timings.prefilled_tokens;
  };
  EXPECT_GT(prefilled(""), 10U);
  for (const char* typed : {"v", "va", "val", "valu", "value"}) EXPECT_LE(prefilled(typed), 8U) << typed;
  EXPECT_EQ(rig.runner->broken_plans(), 0U);
}

}  // namespace
}  // namespace weft::test
