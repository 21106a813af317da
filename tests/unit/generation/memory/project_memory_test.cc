#include "generation/memory/project_memory.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "generation/memory/project_index.h"
#include "tests/support/byte_tokenizer.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

std::vector<TokenId> bytes(std::string_view text) { return test::ByteTokenizer().encode(text); }

// How much of the context's end some file but the request's has.
std::size_t matched(const ProjectText& text, std::string_view context) {
  return text.places ? text.places->longest_match(bytes(context), text.own).length : 0;
}

TEST(ProjectIndex, AddsWhileThereIsRoomAndSetsAtTheCostOfTheOldest) {
  ProjectIndex index(std::make_shared<test::ByteTokenizer>(), {.tokens = 10, .index = {}});
  EXPECT_TRUE(index.add("a", "aaaa"));
  EXPECT_TRUE(index.add("b", "bbbb"));
  EXPECT_FALSE(index.add("c", "cccc"));
  EXPECT_EQ(index.tokens(), 8u);
  EXPECT_TRUE(index.add("a", "aaaaaa"));  // in its own place
  index.set("c", "cccc");
  EXPECT_FALSE(index.has("b"));
  EXPECT_TRUE(index.has("a"));
  index.set("d", "ddddddddddd");  // more than there is room for at all
  EXPECT_FALSE(index.has("d"));
  index.remove("a");
  EXPECT_EQ(index.tokens(), 4u);
  EXPECT_EQ(index.files(), 1u);
}

class ProjectMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) / "project_memory";
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  [[nodiscard]] std::string path(const std::string& relative) const { return (root_ / relative).string(); }
  void write(const std::string& relative, const std::string& text) {
    fs::create_directories((root_ / relative).parent_path());
    std::ofstream(root_ / relative, std::ios::binary) << text;
  }
  [[nodiscard]] std::unique_ptr<ProjectMemory> open() const {
    ProjectMemoryOptions options{.root = root_.string(), .files = {}, .index = {}};
    options.files.min_bytes = 1;
    return std::make_unique<ProjectMemory>(std::make_shared<test::ByteTokenizer>(), options);
  }

  fs::path root_;
};

TEST_F(ProjectMemoryTest, KnowsTheOtherFilesOfTheProject) {
  write("a.py", "alpha = 1\n");
  write("lib/b.py", "beta = 2\n");
  const auto memory = open();
  memory->wait();
  EXPECT_TRUE(memory->state().scanned);
  EXPECT_EQ(memory->state().files, 2u);
  EXPECT_EQ(matched(memory->text_for(path("a.py")), "beta ="), 6u);
  EXPECT_EQ(matched(memory->text_for(path("lib/b.py")), "beta ="), 3u);  // "a =" of the other
  EXPECT_EQ(matched(memory->text_for("/elsewhere/c.py"), "beta ="), 6u);
}

TEST_F(ProjectMemoryTest, ReadsNeitherSecretsNorWhatGitIgnores) {
  write(".gitignore", "made/\n");
  write("a.py", "token = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'\n");
  write("made/b.py", "beta = 2\n");
  write("id_rsa.py", "plain\n");
  write("secrets/.env", "gamma = 3\n");
  const auto memory = open();
  memory->saved(path("made/b.py"));
  memory->saved(path("secrets/.env"));
  memory->changed(path(".env"), std::make_shared<std::string>("gamma = 3\n"));
  memory->wait();
  const ProjectText text = memory->text_for(path("c.py"));
  EXPECT_EQ(matched(text, "ghp_"), 0u);
  EXPECT_EQ(matched(text, "token = '"), 9u);
  EXPECT_EQ(matched(text, "beta ="), 2u);  // " =" of a.py
  EXPECT_EQ(matched(text, "gam"), 0u);
}

TEST_F(ProjectMemoryTest, FollowsWhatIsSavedAndRemovedAndNew) {
  write("a.py", "alpha = 1\n");
  write("b.py", "beta = 2\n");
  const auto memory = open();
  memory->wait();
  const ProjectText before = memory->text_for(path("c.py"));
  write("a.py", "delta = 1\n");
  fs::remove(root_ / "b.py");
  write("d.py", "omega\n");
  for (const char* name : {"a.py", "b.py", "d.py"}) memory->saved(path(name));
  memory->wait();
  const ProjectText after = memory->text_for(path("c.py"));
  EXPECT_EQ(matched(after, "alpha"), 1u);
  EXPECT_EQ(matched(after, "delta"), 5u);
  EXPECT_EQ(matched(after, "?beta"), 2u);  // "ta" of delta
  EXPECT_EQ(matched(after, "ome"), 3u);
  EXPECT_EQ(matched(before, "alpha"), 5u);  // a request's answer does not change under it
}

TEST_F(ProjectMemoryTest, TakesAnOpenDocumentAsItIsInTheEditor) {
  write("a.py", "alpha = 1\n");
  const auto memory = open();
  memory->changed(path("a.py"), std::make_shared<std::string>("gamma = 1\n"));
  memory->wait();
  EXPECT_EQ(matched(memory->text_for(path("b.py")), "gamma"), 5u);
  EXPECT_EQ(matched(memory->text_for(path("b.py")), "?alph"), 0u);
}

TEST_F(ProjectMemoryTest, IsEmptyWhereThereIsNoFolder) {
  fs::remove_all(root_);
  const auto memory = open();
  memory->wait();
  EXPECT_FALSE(memory->state().scanned);
  EXPECT_EQ(matched(memory->text_for(path("b.py")), "a"), 0u);
}

TEST_F(ProjectMemoryTest, EndsInTheMiddleOfAScan) {
  for (int i = 0; i < 200; ++i) write(fmt::format("f{}.py", i), std::string(500, 'a'));
  open().reset();
}

}  // namespace
}  // namespace weft::generation
