#include "generation/completion/project_memories.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "generation/completion/memories.h"
#include "tests/support/byte_tokenizer.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

class ProjectMemoriesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::canonical(::testing::TempDir()) / "project_memories";
    fs::remove_all(folder_);
    write("code/one.py", kOne);
    write("code/.venv/pyvenv.cfg", "home = " + path("usr/bin") + "\nversion = 3.11\n");
    write("code/.venv/lib/python3.11/site-packages/alpha.py",
          "def alpha(argument):\n    return argument + 1\n\n\nx = alpha(2)  # what is said of it\n");
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& relative) const { return (folder_ / relative).string(); }
  void write(const std::string& relative, const std::string& text) const {
    fs::create_directories((folder_ / relative).parent_path());
    std::ofstream(folder_ / relative, std::ios::binary) << text;
  }
  [[nodiscard]] EnvironmentOptions environment() const {
    EnvironmentOptions options;
    options.folder = path("cache");
    options.build_after = std::chrono::milliseconds(0);
    return options;
  }
  [[nodiscard]] CompletionRequest request() const {
    CompletionRequest request;
    request.document = {path("code/work.py"), "", std::make_shared<const std::string>("x = 1\n"), 1};
    request.root = path("code");
    return request;
  }

  static inline const std::string kOne = "first = 'a text of more than sixty-four bytes'\nsecond = 'is what is read'\n";
  std::shared_ptr<const model::Tokenizer> tokenizer_ = std::make_shared<test::ByteTokenizer>();
  fs::path folder_;
};

TEST_F(ProjectMemoriesTest, AProjectHasItsFilesAndItsEnvironment) {
  ProjectMemories memories(tokenizer_, environment());
  EXPECT_TRUE(memories.state().empty());
  static_cast<void>(memories.for_request(request()));
  memories.read(path("code"));
  const ProjectMemories::Texts texts = memories.for_request(request());
  ASSERT_NE(texts.project.places, nullptr);
  EXPECT_EQ(texts.project.places->longest_match(tokenizer_->encode("a text of")).length, 9u);
  ASSERT_NE(texts.environment, nullptr);
  EXPECT_EQ(texts.environment->table().files.size(), 1u);
  ASSERT_EQ(memories.state().size(), 1u);
  EXPECT_EQ(memories.state()[0].root, path("code"));
}

TEST_F(ProjectMemoriesTest, WithoutAFolderThereIsNoEnvironment) {
  ProjectMemories memories(tokenizer_, {});
  EXPECT_EQ(memories.for_request(request()).environment, nullptr);
  EXPECT_FALSE(memories.state().at(0).environment);
}

TEST_F(ProjectMemoriesTest, WhatChangesOnDiskIsReadAgain) {
  ProjectMemories memories(tokenizer_, {});
  memories.file_changed(path("code/one.py"));  // of no project yet
  static_cast<void>(memories.for_request(request()));
  memories.read(path("code"));
  write("code/two.py", kOne + kOne);
  memories.file_changed(path("code/two.py"));
  memories.read(path("code"));
  EXPECT_EQ(memories.state().at(0).project.files, 2u);
  fs::remove(path("code/one.py"));
  memories.file_changed(path("code/one.py"));
  memories.file_changed(path("elsewhere/one.py"));
  memories.read(path("code"));
  EXPECT_EQ(memories.state().at(0).project.files, 1u);
}

TEST_F(ProjectMemoriesTest, ARequestIsGivenAllThree) {
  Memories memories(tokenizer_, MemoryReach::kEnvironment, environment());
  static_cast<void>(memories.at(request(), 0));
  memories.read_project(path("code"));
  CompletionRequest asked = request();
  asked.document.text = std::make_shared<const std::string>("q = 'a text'\nq = alpha(argument)\nz = alpha(a");
  asked.cursor = asked.document.text->size();
  const Memories::AtPlace at = memories.at(asked, 0);
  ASSERT_NE(at.environment, nullptr);
  at.environment->fetch(at.environment->bytes());
  const auto evidence = at.memory->look_up(at.context);
  ASSERT_EQ(evidence.size(), 3u);
  EXPECT_EQ(evidence[0].source, MemorySource::kFile);
  EXPECT_EQ(evidence[2].source, MemorySource::kEnvironment);
  EXPECT_EQ(evidence[2].match_length, 8u);  // " alpha(a" stands behind "def"
}

TEST_F(ProjectMemoriesTest, NothingIsLookedUpThatIsOutOfReach) {
  const auto at = [this](MemoryReach reach) {
    Memories memories(tokenizer_, reach, environment());
    static_cast<void>(memories.at(request(), 0));
    memories.read_project(path("code"));
    EXPECT_EQ(memories.projects().state().size(), reach >= MemoryReach::kProject ? 1u : 0u);
    return memories.at(request(), 0);
  };
  EXPECT_EQ(at(MemoryReach::kNothing).memory, nullptr);
  EXPECT_NE(at(MemoryReach::kDocument).memory, nullptr);
  EXPECT_EQ(at(MemoryReach::kProject).environment, nullptr);
  EXPECT_NE(at(MemoryReach::kEnvironment).environment, nullptr);
}

}  // namespace
}  // namespace weft::generation
