#include "generation/memory/file_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>

#include "generation/memory/snapshot_memory.h"
#include "tests/support/byte_tokenizer.h"

namespace weft::generation {
namespace {

FileMemory file_memory(FileMemoryLimits limits = {}) {
  return FileMemory(std::make_shared<test::ByteTokenizer>(), limits);
}

// A text with the cursor at '^'.
struct Marked {
  explicit Marked(std::string_view marked) : text(marked), cursor(marked.find('^')) { text.erase(cursor, 1); }
  [[nodiscard]] FilePlace place(std::size_t opening = 0) const { return {"a.py", text, cursor, opening}; }
  std::string text;
  std::size_t cursor;
};

std::vector<TokenId> bytes(std::string_view text) { return test::ByteTokenizer().encode(text); }

// What follows the longest match of the context's end, as letters; the length in front.
std::string next(const SuffixPlaces& places, std::string_view context) {
  const SuffixMatch match = places.longest_match(bytes(context));
  std::string out = std::to_string(match.length) + ":";
  for (const Continuation& one : match.continuations) out += static_cast<char>(one.token.value());
  return out;
}

TEST(FileMemory, KnowsTheTextOnBothSidesOfTheCursor) {
  auto memory = file_memory();
  const Marked text("first = one\n^\nlast = two\n");
  const auto places = memory.update(text.place());
  EXPECT_EQ(next(*places, "if first ="), "7: ");
  EXPECT_EQ(next(*places, "if last = t"), "8:w");
}

TEST(FileMemory, DoesNotFindTheCursorsOwnPlace) {
  auto memory = file_memory();
  const Marked text("aab = 1\naab^ = 2\n");
  const auto places = memory.update(text.place());
  EXPECT_EQ(next(*places, "\naab"), "3: ");  // the line above; the own one would match four
}

TEST(FileMemory, DoesNotKnowTheWordThatIsSpelledAgain) {
  auto memory = file_memory();
  const Marked text("x = 1\nself.pri^\n");
  EXPECT_EQ(next(*memory.update(text.place()), "self."), "5:p");
  EXPECT_EQ(next(*memory.update(text.place(3)), "self."), "0:");
  EXPECT_EQ(memory.context(), bytes("x = 1\nself."));
}

// The end of what is before the cursor has nothing behind it, and nothing is before what is behind the cursor.
TEST(FileMemory, MatchesNothingAcrossTheCursor) {
  auto memory = file_memory();
  const Marked text("ab^cd");
  const auto places = memory.update(text.place());
  EXPECT_EQ(next(*places, "ab"), "0:");
  EXPECT_EQ(next(*places, "abc"), "1:d");
}

TEST(FileMemory, MasksKeysAndReadsNoSecretFile) {
  auto memory = file_memory();
  const std::string key = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
  const std::string text = "token = '" + key + "'\n";
  EXPECT_EQ(next(*memory.update({"a.py", text, text.size(), 0}), "token = 'g"), "0:");
  EXPECT_EQ(next(*memory.update({"a.py", text, text.size(), 0}), "token = '"), "9:*");
  EXPECT_EQ(memory.update({".env", text, text.size(), 0})->tokens(), 0u);
}

TEST(FileMemory, MasksAKeyThatStandsAcrossTheCursor) {
  auto memory = file_memory();
  const std::string text = "token = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'\n";
  EXPECT_EQ(next(*memory.update({"a.py", text, 30, 0}), "token = '"), "9:*");
}

TEST(FileMemory, HasLfLineEndsWhateverTheDocumentHas) {
  auto memory = file_memory();
  const Marked text("one\r\ntwo\r\nthree^\r\nfour\r\n");
  EXPECT_EQ(next(*memory.update(text.place()), "one\ntw"), "6:o");
  EXPECT_EQ(memory.context(), bytes("one\ntwo\nthree"));
}

TEST(FileMemory, KeepsTheLinesNearTheCursorOfAFileThatIsTooLarge) {
  auto memory = file_memory({.side_bytes = 16, .index = {}});
  const Marked text("far away\nnear above\nx^\nnear below\nfar below\n");
  const auto places = memory.update(text.place());
  EXPECT_EQ(places->tokens(), std::string("\nnear above\nx\nnear below").size());
  EXPECT_EQ(memory.context(), bytes("\nnear above\nx"));
  EXPECT_EQ(next(*places, "near belo"), "9:w");
}

// An index that was kept through edits says what a new one says.
void expect_same(const SuffixPlaces& kept, const SuffixPlaces& fresh, std::string_view text) {
  EXPECT_EQ(kept.tokens(), fresh.tokens());
  const std::vector<TokenId> tokens = bytes(text);
  for (std::size_t end = 1; end <= tokens.size(); ++end) {
    const auto context = std::span(tokens).first(end);
    const SuffixMatch a = kept.longest_match(context), b = fresh.longest_match(context);
    ASSERT_EQ(a.length, b.length) << text.substr(0, end);
    ASSERT_EQ(a.continuations.size(), b.continuations.size());
    for (const Continuation& one : a.continuations) {
      const auto same = [&](const Continuation& other) { return other.token == one.token && other.count == one.count; };
      EXPECT_TRUE(std::ranges::any_of(b.continuations, same));
    }
  }
}

TEST(FileMemory, SaysAfterAnyEditWhatANewOneSays) {
  auto memory = file_memory();
  for (const char* marked : {
           "^",
           "def f(a):\n    return a\n^",
           "def f(a):\n    return a\n\n\ndef g(^",
           "def f(a):\n    return a\n\n\ndef g(a):\n    ^",
           "def f(^a):\n    return a\n\n\ndef g(a):\n    pass\n",            // a jump back
           "def f(b^):\n    return a\n\n\ndef g(a):\n    pass\n",            // an edit there
           "def f(b):\n    return b\n\n\ndef g(a):\n    pass\n    pass\n^",  // edits elsewhere, and a jump
           "^\n\n\ndef g(a):\n    pass\n    pass\n",                         // the beginning is gone
           "def g(a):\n    pass\n    pas^",
           "other",
       }) {
    const std::string_view view(marked);
    const Marked text(view.find('^') == std::string_view::npos ? std::string(view) + "^" : std::string(view));
    auto fresh = file_memory();
    expect_same(*memory.update(text.place()), *fresh.update(text.place()), text.text);
  }
}

TEST(FileMemory, SnapshotOfARequestOutlivesTheNextKey) {
  auto memory = file_memory();
  const auto request = make_memory(memory.update(Marked("abx\n^").place()), {});
  memory.update(Marked("aby\n^").place());
  const auto evidence = request->look_up(bytes("ab"));
  ASSERT_EQ(evidence.size(), 1u);
  EXPECT_EQ(evidence[0].source, MemorySource::kFile);
  EXPECT_EQ(evidence[0].match_length, 2u);
  EXPECT_EQ(evidence[0].continuations[0].token, test::byte_token('x'));
}

TEST(SnapshotMemory, AsksTheFileAndTheProjectsOtherFiles) {
  auto memory = file_memory();
  const auto file = memory.update(Marked("abx\n^").place());
  SuffixIndex index;
  index.set_text(1, bytes("abz"));
  index.set_text(2, bytes("by"));
  const auto evidence = make_memory(file, {index.snapshot(), 1})->look_up(bytes("ab"));
  ASSERT_EQ(evidence.size(), 2u);
  EXPECT_EQ(evidence[0].source, MemorySource::kFile);
  EXPECT_EQ(evidence[1].source, MemorySource::kProject);
  EXPECT_EQ(evidence[1].match_length, 1u);
  EXPECT_EQ(evidence[1].continuations[0].token, test::byte_token('y'));
  EXPECT_TRUE(make_memory(nullptr, {})->look_up(bytes("ab")).empty());
}

}  // namespace
}  // namespace weft::generation
