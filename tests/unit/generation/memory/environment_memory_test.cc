#include "generation/memory/environment_memory.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/byte_tokenizer.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

using Step = EnvironmentState::Step;

std::vector<TokenId> bytes(std::string_view text) { return test::ByteTokenizer().encode(text); }

class EnvironmentMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::canonical(::testing::TempDir()) /
            (std::string("environment_memory_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    write("code/.venv/pyvenv.cfg", "home = " + path("usr/bin") + "\nversion = 3.11\n");
    install("alpha.py", "def alpha(one):\n    return one\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  [[nodiscard]] std::string path(const std::string& relative) const { return (root_ / relative).string(); }
  void write(const std::string& relative, const std::string& text) const {
    fs::create_directories((root_ / relative).parent_path());
    std::ofstream(root_ / relative, std::ios::binary) << text;
  }
  void install(const std::string& file, const std::string& text) const {
    write("code/.venv/lib/python3.11/site-packages/" + file, text);
  }
  [[nodiscard]] std::unique_ptr<EnvironmentMemory> open() const {
    EnvironmentOptions options{.folder = path("cache")};
    options.limits.files.min_bytes = 1;
    options.build_after = std::chrono::milliseconds(0);
    return std::make_unique<EnvironmentMemory>(std::make_shared<test::ByteTokenizer>(), path("code"), options);
  }
  // How much of the context's end the environment has.
  [[nodiscard]] std::size_t matched(const EnvironmentMemory& memory, std::string_view context) const {
    const auto text = memory.text_for(path("code/a.py"));
    if (text == nullptr) return 0;
    text->fetch(text->bytes());
    return text->longest_match(bytes(context)).length;
  }
  [[nodiscard]] std::vector<std::string> stored() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path("cache"))) {
      if (entry.path().filename() != "lock") names.push_back(entry.path().filename().string());
    }
    return names;
  }

  fs::path root_;
};

TEST_F(EnvironmentMemoryTest, KnowsWhatIsInstalled) {
  const auto memory = open();
  memory->wait();
  const EnvironmentState state = memory->state();
  EXPECT_EQ(state.step, Step::kReady);
  EXPECT_EQ(state.problem, "");
  EXPECT_EQ(state.files, 1u);
  EXPECT_EQ(state.tokens, 33u);  // with an end before and one behind
  EXPECT_EQ(matched(*memory, "def alpha(on"), 12u);
  // Somebody who works on the environment's own files would find what they look at.
  EXPECT_EQ(memory->text_for(path("code/.venv/lib/python3.11/site-packages/alpha.py")), nullptr);
}

TEST_F(EnvironmentMemoryTest, IsBuiltOnceForAllWhoHaveTheSame) {
  open()->wait();
  ASSERT_EQ(stored().size(), 1u);
  const fs::path file = fs::path(path("cache")) / stored()[0];
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(fs::status(path("cache")).permissions(), fs::perms::owner_all);
  const auto id = [&file] {
    struct stat status {};
    ::stat(file.c_str(), &status);
    return status.st_ino;
  };
  const auto before = id();
  const auto again = open();
  again->wait();
  EXPECT_EQ(matched(*again, "def alpha(on"), 12u);
  EXPECT_EQ(id(), before);
}

TEST_F(EnvironmentMemoryTest, IsBuiltAnewWhereTheEnvironmentHasChanged) {
  open()->wait();
  install("beta.py", "def beta(two):\n    return two\n");
  const auto memory = open();
  memory->wait();
  EXPECT_EQ(memory->state().files, 2u);
  EXPECT_EQ(matched(*memory, "def beta(tw"), 11u);
  EXPECT_EQ(stored().size(), 1u);  // the old one has gone
}

TEST_F(EnvironmentMemoryTest, WhatWasBuiltBeforeServesMeanwhile) {
  open()->wait();
  install("beta.py", "def beta(two):\n    return two\n");
  EnvironmentOptions options{.folder = path("cache")};
  options.limits.files.min_bytes = 1;
  options.build_after = std::chrono::hours(1);
  const EnvironmentMemory memory(std::make_shared<test::ByteTokenizer>(), path("code"), options);
  while (memory.state().step == Step::kLooking) std::this_thread::yield();
  EXPECT_EQ(memory.state().step, Step::kBuilding);
  EXPECT_EQ(matched(memory, "def alpha(on"), 12u);
}

TEST_F(EnvironmentMemoryTest, ADamagedFileIsBuiltAnew) {
  open()->wait();
  const fs::path file = fs::path(path("cache")) / stored()[0];
  fs::resize_file(file, fs::file_size(file) / 2);
  const auto memory = open();
  memory->wait();
  EXPECT_EQ(memory->state().step, Step::kReady);
  EXPECT_EQ(matched(*memory, "def alpha(on"), 12u);
}

TEST_F(EnvironmentMemoryTest, ReadsNeitherSecretsNorKeysNorWhatIsNoSource) {
  install("keys/.ssh/id.py", "private = 'very private'\n");
  install("key.py", "aws_key = 'AKIAIOSFODNN7EXAMPLQ'\n");
  install("made.py", "# generated by a tool, do not edit\nmade = 1\n");
  const auto memory = open();
  memory->wait();
  EXPECT_EQ(memory->state().files, 2u);
  EXPECT_LT(matched(*memory, "'very priv"), 4u);
  EXPECT_LT(matched(*memory, "'AKIAIOSFODNN7"), 4u);
  EXPECT_LT(matched(*memory, "\nmade = "), 6u);
}

TEST_F(EnvironmentMemoryTest, KeepsToItsTokens) {
  install("beta.py", std::string(100, 'b') + "\n");
  EnvironmentOptions options{.folder = path("cache")};
  options.limits.files.min_bytes = 1;
  options.limits.tokens = 60;
  options.build_after = std::chrono::milliseconds(0);
  const EnvironmentMemory memory(std::make_shared<test::ByteTokenizer>(), path("code"), options);
  memory.wait();
  EXPECT_EQ(memory.state().files, 1u);
}

TEST_F(EnvironmentMemoryTest, IsNothingWithoutAnEnvironment) {
  fs::remove_all(path("code/.venv"));
  const auto memory = open();
  memory->wait();
  EXPECT_EQ(memory->state().step, Step::kNone);
  EXPECT_EQ(memory->text_for(path("code/a.py")), nullptr);
}

TEST_F(EnvironmentMemoryTest, EndsInTheMiddle) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += fmt::format("value = value + {}\n", i);
  for (int i = 0; i < 200; ++i) install(fmt::format("p{}.py", i), text);
  open().reset();
  const auto memory = open();
  memory->wait();
  EXPECT_EQ(memory->state().step, Step::kReady);
}

TEST(EnvironmentStore, KeepsThoseUsedLast) {
  const std::string folder = ::testing::TempDir() + "/environment_store";
  fs::remove_all(folder);
  const EnvironmentStore store(folder, 2);
  const auto nothing = [](EnvironmentBuilder&) { return Expected<void>(); };
  for (std::uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(store.build(i, 10 + i, nothing, {}));
    // As if it had been an hour ago.
    for (const auto& entry : fs::directory_iterator(folder)) {
      fs::last_write_time(entry, fs::last_write_time(entry) - std::chrono::hours(1));
    }
  }
  EXPECT_EQ(store.find(1, 11), nullptr);
  EXPECT_NE(store.find(2, 12), nullptr);
  EXPECT_NE(store.find(3, 13), nullptr);
  EXPECT_EQ(store.find(3, 99), nullptr);
  EXPECT_NE(store.find_any(3), nullptr);
  EXPECT_EQ(store.find_any(9), nullptr);
  fs::remove_all(folder);
}

TEST(EnvironmentStore, ACancelledOrFailedBuildLeavesNothing) {
  const std::string folder = ::testing::TempDir() + "/environment_store_failed";
  fs::remove_all(folder);
  const EnvironmentStore store(folder);
  const auto failed =
      store.build(1, 2, [](EnvironmentBuilder&) -> Expected<void> { return make_error("no luck"); }, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "no luck");
  for (const auto& entry : fs::directory_iterator(folder)) EXPECT_EQ(entry.path().filename(), "lock");
  fs::remove_all(folder);
}

TEST(EnvironmentFolder, IsInTheUsersCache) {
  EXPECT_EQ(environment_folder("/c", "/home/u"), "/c/weft/environments");
  EXPECT_EQ(environment_folder("", "/home/u"), "/home/u/.cache/weft/environments");
  EXPECT_EQ(environment_folder("", ""), "");
}

}  // namespace
}  // namespace weft::generation
