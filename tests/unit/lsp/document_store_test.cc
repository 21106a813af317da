// Documents: edits, versions, snapshots, and what cannot be followed.
#include "lsp/document_store.h"

#include <string>

#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

const std::string kUri = "file:///code/a%20b.py";

ContentChange edit(Position start, Position end, std::string text) { return {Range{start, end}, std::move(text)}; }

class Documents : public ::testing::Test {
 protected:
  void open(std::string text, std::int64_t version = 1) {
    ASSERT_TRUE(store.open({kUri, "python", version, std::move(text)}));
  }
  Expected<void> change(std::int64_t version, std::vector<ContentChange> changes) {
    return store.change({kUri, version, std::move(changes)});
  }
  const Document& document() { return *store.find(kUri); }
  const std::string& text() { return *document().text; }

  DocumentStore store;
};

TEST_F(Documents, OpenKeepsWhatTheClientSaid) {
  open("x = 1\n", 7);
  EXPECT_EQ(document().path, "/code/a b.py");
  EXPECT_EQ(document().language, "python");
  EXPECT_EQ(document().version, 7);
  EXPECT_EQ(text(), "x = 1\n");
}

TEST_F(Documents, ChangesOfOneMessageBuildOnEachOther) {
  open("abc");
  ASSERT_TRUE(change(2, {edit({0, 0}, {0, 0}, "1\n"), edit({1, 1}, {1, 2}, "X"), edit({0, 1}, {1, 0}, "")}));
  EXPECT_EQ(text(), "1aXc");
}

TEST_F(Documents, AFullTextReplacesWhatCameBefore) {
  open("abc");
  ASSERT_TRUE(change(2, {edit({0, 0}, {0, 1}, "Z"), {std::nullopt, "new"}, edit({0, 3}, {0, 3}, "!")}));
  EXPECT_EQ(text(), "new!");
}

TEST_F(Documents, PositionsCountInTheNegotiatedEncoding) {
  store.set_encoding(PositionEncoding::kUtf8);
  open("ä𝕏z");
  ASSERT_TRUE(change(2, {edit({0, 2}, {0, 6}, "-")}));
  EXPECT_EQ(text(), "ä-z");
  store.set_encoding(PositionEncoding::kUtf32);
  ASSERT_TRUE(change(3, {edit({0, 1}, {0, 2}, "+")}));
  EXPECT_EQ(text(), "ä+z");
}

TEST_F(Documents, PositionsPastTheEndAreClamped) {
  open("ab\ncd");
  ASSERT_TRUE(change(2, {edit({0, 99}, {0, 99}, "!"), edit({9, 9}, {9, 9}, "?")}));
  EXPECT_EQ(text(), "ab!\ncd?");
}

TEST_F(Documents, SnapshotsDoNotChange) {
  open("old");
  const auto snapshot = document().text;
  ASSERT_TRUE(change(2, {{std::nullopt, "new"}}));
  EXPECT_EQ(*snapshot, "old");
}

TEST_F(Documents, VersionsMustRise) {
  open("abc", 5);
  const auto refused = change(5, {edit({0, 0}, {0, 0}, "Z")});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("version 5 after version 5"), std::string::npos);
  EXPECT_EQ(text(), "abc");
  EXPECT_FALSE(document().problem.empty());
  EXPECT_FALSE(change(6, {edit({0, 0}, {0, 0}, "Z")})) << "the text before it is not known";
  ASSERT_TRUE(change(7, {{std::nullopt, "whole"}}));
  EXPECT_EQ(text(), "whole");
  EXPECT_TRUE(document().problem.empty());
}

TEST_F(Documents, VersionsMayLeap) {
  open("abc", 1);
  EXPECT_TRUE(change(100, {}));
  EXPECT_EQ(document().version, 100);
}

TEST_F(Documents, ARangeThatEndsBeforeItStartsIsRefused) {
  open("abc\ndef");
  const auto refused = change(2, {edit({0, 0}, {0, 1}, "Z"), edit({1, 2}, {0, 1}, "")});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("0:1 before it starts at 1:2"), std::string::npos);
  EXPECT_EQ(text(), "abc\ndef") << "all of a message or nothing";
}

TEST_F(Documents, WhatIsNotOpenIsNamed) {
  EXPECT_FALSE(change(2, {}));
  const auto closed = store.close(kUri);
  ASSERT_FALSE(closed);
  EXPECT_NE(closed.error().message.find(kUri), std::string::npos);
}

TEST_F(Documents, CloseAndOpenAgainBeginsAnew) {
  open("one", 9);
  ASSERT_TRUE(store.close(kUri));
  EXPECT_EQ(store.find(kUri), nullptr);
  open("two", 1);
  EXPECT_EQ(text(), "two");
}

TEST_F(Documents, TooLargeIsOpenButNotFollowed) {
  const auto opened = store.open({kUri, "python", 1, std::string(kMaxDocumentBytes + 1, 'x')});
  ASSERT_FALSE(opened);
  EXPECT_FALSE(document().problem.empty());
  EXPECT_TRUE(text().empty());
  EXPECT_TRUE(change(2, {{std::nullopt, "small"}}));
  EXPECT_EQ(text(), "small");
}

TEST_F(Documents, BadUrisAreRefused) {
  for (const char* uri : {"", "a.py", "/code/a.py", "file:", "file://host", "file:a.py", "file:///%zz", "file:///%0",
                          "file:///a%00b", "file:///%ff", ":x", "1x:y"}) {
    EXPECT_FALSE(store.open({uri, "python", 1, ""})) << uri;
  }
  EXPECT_EQ(store.size(), 0U);
  EXPECT_TRUE(store.open({"untitled:Untitled-1", "python", 1, ""}));
  EXPECT_EQ(store.find("untitled:Untitled-1")->path, "Untitled-1");
}

}  // namespace
}  // namespace weft::lsp
