#include "generation/files/source_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "generation/files/ignore_rules.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

TEST(IgnoreRules, ReadPatternsAsGitDoes) {
  IgnoreRules rules;
  rules.add("", "# comment\n*.log\n/build\ndocs/*.py\n!keep.log\ntmp/\n**/gen/**\na/**/z.py\nspace\\ \nfoo/**\r\n");
  EXPECT_TRUE(rules.ignores_file("x.log"));
  EXPECT_TRUE(rules.ignores_file("deep/er/x.log"));
  EXPECT_FALSE(rules.ignores_file("deep/keep.log"));
  EXPECT_TRUE(rules.ignores_folder("build"));
  EXPECT_FALSE(rules.ignores_folder("src/build"));
  EXPECT_TRUE(rules.ignores_file("docs/conf.py"));
  EXPECT_FALSE(rules.ignores_file("docs/deep/conf.py"));
  EXPECT_TRUE(rules.ignores_folder("src/tmp"));
  EXPECT_FALSE(rules.ignores_file("src/tmp"));
  EXPECT_TRUE(rules.ignores_file("src/gen/a.py"));
  EXPECT_FALSE(rules.ignores_folder("src/gen"));
  EXPECT_TRUE(rules.ignores_file("a/z.py"));
  EXPECT_TRUE(rules.ignores_file("a/b/c/z.py"));
  EXPECT_FALSE(rules.ignores_file("b/a/z.py"));
  EXPECT_TRUE(rules.ignores_file("space "));
  EXPECT_TRUE(rules.ignores_file("foo/a.py"));
}

TEST(IgnoreRules, InnerFilesSpeakOfTheirFolderAndHaveTheLastWord) {
  IgnoreRules rules;
  rules.add("", "*.py\n");
  rules.add("lib", "!/a.py\n");
  EXPECT_TRUE(rules.ignores_file("a.py"));
  EXPECT_FALSE(rules.ignores_file("lib/a.py"));
  EXPECT_TRUE(rules.ignores_file("lib/deep/a.py"));
  EXPECT_TRUE(rules.ignores_file("library/a.py"));
}

TEST(IgnoreRules, RowsOfStarsTakeNoTime) {
  IgnoreRules rules;
  std::string pattern = "**", path = "a";
  for (int i = 0; i < 15; ++i) {
    pattern += "/**/a";
    path += "/a";
  }
  rules.add("", pattern + "/b\n");
  EXPECT_FALSE(rules.ignores_file(path));
}

class SourceFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) / "source_files";
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& relative, const std::string& text) {
    fs::create_directories((root_ / relative).parent_path());
    std::ofstream(root_ / relative, std::ios::binary) << text;
  }
  std::vector<std::string> names(std::size_t most = 100) {
    const auto files = list_source_files(root_.string(), most, {});
    EXPECT_TRUE(files);
    std::vector<std::string> out;
    if (!files) return out;
    for (const SourceFile& file : *files) out.push_back(file.relative);
    return out;
  }
  Expected<std::string> read(const std::string& relative) {
    return read_source_file({(root_ / relative).string(), relative}, {});
  }

  fs::path root_;
};

const std::string kCode = "def longest(values):\n    return max(values, key=len)\n\n\nprint(longest(['a', 'bb']))\n";

TEST_F(SourceFiles, AreSomebodysSourcesInOrder) {
  for (const char* name : {"b.py", "a/z.py", "a.py", "photo.png", ".env", ".git/x.py", "node_modules/m/x.js",
                           "venv/x.py", "out/x.py", "a/skip.py"}) {
    write(name, kCode);
  }
  write("env3/pyvenv.cfg", "");
  write("env3/lib/x.py", kCode);
  write(".gitignore", "/out\n");
  write("a/.gitignore", "skip.py\n");
  EXPECT_EQ(names(), (std::vector<std::string>{"a.py", "a/z.py", "b.py"}));
  for (const char* name : {"a.py", "a/z.py", "b.py", "new.py"})
    EXPECT_TRUE(is_source_file(root_.string(), name)) << name;
  for (const char* name : {".env", ".git/x.py", "venv/x.py", "out/x.py", "a/skip.py", "env3/lib/x.py", "photo.png"}) {
    EXPECT_FALSE(is_source_file(root_.string(), name)) << name;
  }
  EXPECT_EQ(names(2), (std::vector<std::string>{"a.py", "a/z.py"}));
}

TEST_F(SourceFiles, DoNotFollowLinks) {
  write("a.py", kCode);
  fs::create_directory_symlink(root_, root_ / "loop");
  fs::create_symlink(root_ / "a.py", root_ / "b.py");
  EXPECT_EQ(names(), std::vector<std::string>{"a.py"});
}

TEST_F(SourceFiles, AreReadWithKeysMasked) {
  write("a.py", kCode + "token = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'\n");
  const auto text = read("a.py");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->find("ghp_"), std::string::npos);
  EXPECT_EQ(text->substr(0, kCode.size()), kCode);
}

TEST_F(SourceFiles, AreNotReadWhenSecretGeneratedBinaryOrHuge) {
  const std::string name = "credentials.json";
  write(name, kCode);
  EXPECT_FALSE(read(name));
  write("gen.py", "# This file is generated. Do not edit.\n" + kCode);
  EXPECT_FALSE(read("gen.py"));
  write("bin.py", kCode + std::string(4, '\0'));
  EXPECT_FALSE(read("bin.py"));
  std::string huge;
  while (huge.size() < 500'000) huge += kCode;
  write("huge.py", huge);
  EXPECT_FALSE(read("huge.py"));
  EXPECT_FALSE(read("none.py"));
}

TEST_F(SourceFiles, NameTheFolderThatIsNone) {
  const auto files = list_source_files((root_ / "none").string(), 1, {});
  ASSERT_FALSE(files);
  EXPECT_NE(files.error().message.find("none is not a folder"), std::string::npos);
}

}  // namespace
}  // namespace weft::generation
