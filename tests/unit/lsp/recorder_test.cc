// Recordings: what is in them and who can read them.
#include "lsp/recorder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "lsp/json_rpc.h"
#include "tests/support/fake_clock.h"

namespace weft::lsp {
namespace {

class Recording : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/weft_recording_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
    path = folder + "/session.jsonl";
  }
  void TearDown() override {
    ::unlink(path.c_str());
    ::rmdir(folder.c_str());
  }
  mode_t mode() {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }
  std::string folder, path;
  std::shared_ptr<test::FakeClock> clock = std::make_shared<test::FakeClock>();
};

TEST_F(Recording, IsOneObjectALineWithTimeAndSender) {
  {
    auto recorder = Recorder::open(path, clock);
    ASSERT_TRUE(recorder);
    (*recorder)->record(Sender::kClient, "{\"a\":\n1}");
    clock->advance(std::chrono::milliseconds(1500));
    (*recorder)->record(Sender::kServer, "not JSON \xff");
  }
  std::ifstream in(path);
  std::string first, second, third;
  std::getline(in, first);
  std::getline(in, second);
  EXPECT_FALSE(std::getline(in, third));
  EXPECT_EQ(Json::parse(first), (Json{{"time_ms", 0.0}, {"from", "client"}, {"body", "{\"a\":\n1}"}}));
  EXPECT_EQ(Json::parse(second), (Json{{"time_ms", 1500.0}, {"from", "server"}, {"body", "not JSON \uFFFD"}}));
}

TEST_F(Recording, IsItsOwnersAlone) {
  {
    std::ofstream(path) << "older, readable by all";
    ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  }
  ASSERT_TRUE(Recorder::open(path, clock));
  EXPECT_EQ(mode(), 0600U);
  std::ifstream in(path);
  EXPECT_EQ(in.peek(), std::ifstream::traits_type::eof()) << "begins anew";
}

TEST_F(Recording, WhatIsNoFileIsRefused) {
  EXPECT_FALSE(Recorder::open(folder, clock));
  const auto missing = Recorder::open(folder + "/no/such/folder", clock);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("no/such/folder"), std::string::npos);
  ASSERT_EQ(symlink("/dev/null", path.c_str()), 0);
  EXPECT_FALSE(Recorder::open(path, clock)) << "nobody else's link is followed";
}

}  // namespace
}  // namespace weft::lsp
