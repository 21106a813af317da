#include "lsp/control/socket_folder.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

// Short: a socket's path has little room.
class SocketFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/weft-test-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    base_ = pattern;
  }
  void TearDown() override {
    for (const int fd : open_) ::close(fd);
    std::filesystem::remove_all(base_);
  }

  // A socket file, with somebody who listens or without.
  void bind(const std::string& path, bool listens) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof(address.sun_path));
    std::ranges::copy(path, address.sun_path);
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    if (listens) ASSERT_EQ(listen(fd, 4), 0);
    open_.push_back(fd);
  }

  static mode_t mode_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(lstat(path.c_str(), &status), 0);
    return status.st_mode & 0777U;
  }

  // The number of a process that has ended.
  static pid_t dead_process() {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
    return child;
  }

  std::string base_;
  std::vector<int> open_;
};

TEST_F(SocketFolder, IsMadeForTheOwnerAlone) {
  const auto folder = open_socket_folder({.runtime_dir = base_, .temp_dir = "/nowhere"});
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(*folder, base_ + "/weft");
  EXPECT_EQ(mode_of(*folder), 0700U);
  EXPECT_TRUE(open_socket_folder({.runtime_dir = base_, .temp_dir = "/nowhere"}));  // once more
}

TEST_F(SocketFolder, WithoutARuntimeFolderItLiesAmongTemporaryFiles) {
  const auto folder = open_socket_folder({.runtime_dir = "", .temp_dir = base_});
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(*folder, fmt::format("{}/weft-{}", base_, geteuid()));
}

TEST_F(SocketFolder, OneThatOthersCanEnterIsRefused) {
  std::filesystem::create_directory(base_ + "/weft");
  for (const mode_t mode : {0755U, 0710U, 0701U, 0770U}) {
    ASSERT_EQ(chmod((base_ + "/weft").c_str(), mode), 0);
    const auto folder = open_socket_folder({.runtime_dir = base_, .temp_dir = ""});
    ASSERT_FALSE(folder);
    EXPECT_NE(folder.error().message.find("open to others"), std::string::npos);
  }
}

TEST_F(SocketFolder, ALinkIsRefused) {
  std::filesystem::create_directory(base_ + "/elsewhere");
  std::filesystem::permissions(base_ + "/elsewhere", std::filesystem::perms::owner_all);
  std::filesystem::create_directory_symlink(base_ + "/elsewhere", base_ + "/weft");
  EXPECT_FALSE(open_socket_folder({.runtime_dir = base_, .temp_dir = ""}));
}

TEST_F(SocketFolder, AnotherUsersIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  std::filesystem::create_directory(base_ + "/weft");
  std::filesystem::permissions(base_ + "/weft", std::filesystem::perms::owner_all);
  ASSERT_EQ(chown((base_ + "/weft").c_str(), 12345, 12345), 0);
  const auto folder = open_socket_folder({.runtime_dir = base_, .temp_dir = ""});
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message.find("12345"), std::string::npos);
}

TEST_F(SocketFolder, NamesAndNumbers) {
  EXPECT_EQ(pid_of_socket("weftd-42.sock"), 42);
  for (const char* name : {"weftd-.sock", "weftd--1.sock", "weftd-0.sock", "weftd-4x.sock", "weftd-42", "42.sock",
                           "weftd-99999999999999.sock", "weftd.sock"}) {
    EXPECT_FALSE(pid_of_socket(name)) << name;
  }
  EXPECT_EQ(socket_path("/x", 42), "/x/weftd-42.sock");
}

TEST_F(SocketFolder, ListsSocketsAlone) {
  bind(socket_path(base_, 9), true);
  bind(socket_path(base_, 10), true);
  bind(base_ + "/other.sock", true);
  std::ofstream(base_ + "/weftd-8.sock") << "a file";
  const auto sockets = daemon_sockets(base_);
  ASSERT_EQ(sockets.size(), 2U);
  EXPECT_EQ(sockets[0].pid, 9);
  EXPECT_EQ(sockets[1].pid, 10);
  EXPECT_TRUE(daemon_sockets(base_ + "/absent").empty());
}

TEST_F(SocketFolder, WhatTheDeadLeftIsRemoved) {
  const pid_t dead = dead_process(), dead_too = dead_process();
  bind(socket_path(base_, dead), false);
  bind(socket_path(base_, dead_too), true);   // somebody listens: of another process space
  bind(socket_path(base_, getpid()), false);  // about to listen
  std::ofstream(base_ + "/notes.txt") << "not ours";
  remove_stale_sockets(base_);
  EXPECT_FALSE(std::filesystem::exists(socket_path(base_, dead)));
  EXPECT_TRUE(std::filesystem::exists(socket_path(base_, dead_too)));
  EXPECT_TRUE(std::filesystem::exists(socket_path(base_, getpid())));
  EXPECT_TRUE(std::filesystem::exists(base_ + "/notes.txt"));
}

TEST_F(SocketFolder, APathThatIsTooLongIsNamed) {
  const auto connected = connect_to_socket(base_ + "/" + std::string(200, 'x'));
  ASSERT_FALSE(connected);
  EXPECT_NE(connected.error().message.find("longer"), std::string::npos);
}

}  // namespace
}  // namespace weft::lsp
