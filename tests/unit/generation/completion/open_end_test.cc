// What is taken off a prompt's end: enough that what stays does not depend on what follows, and no more.
#include "generation/completion/open_end.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/word_tokenizer.h"

namespace weft::generation {
namespace {

using test::WordTokenizer;

struct Cut {
  std::string kept, open;
  friend bool operator==(const Cut&, const Cut&) = default;
};
void PrintTo(const Cut& cut, std::ostream* out) { *out << '"' << cut.kept << "\" + \"" << cut.open << '"'; }

Cut cut(const model::Tokenizer& tokenizer, std::string_view text) {
  std::vector<TokenId> tokens = tokenizer.encode(text);
  const std::string open = take_open_end(tokens, text, tokenizer, model::PrefixTrie(tokenizer));
  return {tokenizer.decode(tokens), open};
}

TEST(OpenEnd, GoesBackToWhereNoTokenCrosses) {
  const WordTokenizer tokenizer({"print", "int", " ", "    ", "\n    ", "return", "):\n"});
  EXPECT_EQ(cut(tokenizer, "x = "), (Cut{"x =", " "}));
  EXPECT_EQ(cut(tokenizer, "x = y"), (Cut{"x = y", ""}));  // no token goes on from a "y"
  EXPECT_EQ(cut(tokenizer, "x = p"), (Cut{"x = ", "p"}));
  EXPECT_EQ(cut(tokenizer, "x = pri"), (Cut{"x = ", "pri"}));
  EXPECT_EQ(cut(tokenizer, "x = prx"), (Cut{"x = prx", ""}));
  EXPECT_EQ(cut(tokenizer, "f():\n  "), (Cut{"f(", "):\n  "}));
  EXPECT_EQ(cut(tokenizer, ""), (Cut{"", ""}));
}

TEST(OpenEnd, OfALongTokenIsTheToken) {
  const std::string indentation(40, ' ');
  const WordTokenizer tokenizer({indentation, " "});
  EXPECT_EQ(cut(tokenizer, "x\n" + indentation), (Cut{"x\n", indentation}));
}

TEST(OpenEnd, IsTheLastTokenWhereTokensCrossEverywhere) {
  const WordTokenizer tokenizer({"aa", "aaa"});
  EXPECT_EQ(cut(tokenizer, std::string(50, 'a')), (Cut{std::string(48, 'a'), "aa"}));
}

TEST(OpenEnd, LeavesWhatIsNotTheText) {
  const WordTokenizer tokenizer({"print"});
  std::vector<TokenId> tokens = tokenizer.encode("PRIN");  // a tokenizer that changed the text's beginning
  EXPECT_EQ(take_open_end(tokens, "prin", tokenizer, model::PrefixTrie(tokenizer)), "");
  EXPECT_EQ(tokens.size(), 4U);
}

// What is kept are tokens of the text together with whatever follows.
TEST(OpenEnd, IsWhatAContinuationMayChange) {
  const std::vector<std::string> continuations = {"",   "x", "a",   "e",      "t",    "s",  "1",    "_",      ".",
                                                  "(",  ")", ":",   " ",      "  ",   "\n", "\n\n", "\n    ", "\"",
                                                  "'s", "é", "int", "return", " = 1", "=",  "漢"};
  const std::string code =
      "import os\n\n\ndef compute_area(width, height=12):\n    \"\"\"The area's size — naïve.\"\"\"\n"
      "    if width   is None:\n        return 0x1F\n    for i in range(100):\n        print(self.items[i].value + "
      "3.25,"
      " end='')\n\treturn {'key': [1, 2, 3]}  # done…\n";
  for (const char* family :
       {"qwen2", "starcoder", "deepseek_coder", "llama3", "codellama", "codegemma", "mistral_v3"}) {
    const auto loaded =
        model::load_tokenizer(std::string(WEFT_SOURCE_DIR) + "/tests/parity/tokenizers/golden/" + family);
    ASSERT_TRUE(loaded) << loaded.error().message;
    const model::Tokenizer& tokenizer = **loaded;
    const model::PrefixTrie trie(tokenizer);
    std::size_t places = 0, last_alone = 0;
    for (std::size_t end = 1; end <= code.size(); ++end) {
      if (end < code.size() && (static_cast<unsigned char>(code[end]) & 0xC0) == 0x80) continue;
      const std::string text = code.substr(0, end);
      std::vector<TokenId> kept = tokenizer.encode(text);
      const std::string open = take_open_end(kept, text, tokenizer, trie);
      EXPECT_EQ(tokenizer.decode(kept) + open, text);
      ++places;
      if (trie.crosses(std::string_view(text).substr(0, text.size() - open.size()), open)) {
        ++last_alone;
        continue;
      }
      for (const std::string& continuation : continuations) {
        const std::vector<TokenId> whole = tokenizer.encode(text + continuation);
        ASSERT_LE(kept.size(), whole.size());
        EXPECT_TRUE(std::equal(kept.begin(), kept.end(), whole.begin()))
            << family << ": "
            << testing::PrintToString(text.substr(text.size() - std::min<std::size_t>(text.size(), 20))) << " with "
            << testing::PrintToString(continuation) << " open " << testing::PrintToString(open);
      }
    }
    EXPECT_LT(last_alone * 20, places) << family;
  }
}

}  // namespace
}  // namespace weft::generation
