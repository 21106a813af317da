// The transport on real pipes: bytes in and out, the input's end, a client that goes away or does not read.
#include "lsp/stdio_transport.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/lsp/test_loop.h"

namespace weft::test {
namespace {

using lsp::StdioTransport;

class Transport : public ::testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    ASSERT_EQ(pipe2(to_server_, O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(from_server_, O_CLOEXEC), 0);
  }
  void TearDown() override {
    for (int* end : {&to_server_[0], &to_server_[1], &from_server_[0], &from_server_[1]}) close_end(*end);
  }
  static void close_end(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  StdioTransport::Handlers handlers() {
    return {.on_bytes = [this](std::string_view bytes) { received_ += bytes; },
            .on_end = [this] { ++ends_; },
            .on_lost = [this] { ++lost_; }};
  }
  void write_bytes(std::string_view bytes) {
    ASSERT_EQ(write(to_server_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  std::string read_to_end() {
    std::string out(1, '\0'), all;
    while (read(from_server_[0], out.data(), 1) == 1) all += out;
    return all;
  }

  int to_server_[2] = {-1, -1}, from_server_[2] = {-1, -1};
  std::string received_;
  int ends_ = 0, lost_ = 0;
  TestLoop loop_;
};

TEST_F(Transport, BringsBytesAndTheEnd) {
  StdioTransport transport(loop_, to_server_[0], from_server_[1], handlers());
  write_bytes("one ");
  ASSERT_TRUE(loop_.run_until([&] { return received_ == "one "; }));
  write_bytes("two");
  close_end(to_server_[1]);
  ASSERT_TRUE(loop_.run_until([&] { return ends_ == 1; }));
  EXPECT_EQ(received_, "one two");
  EXPECT_EQ(lost_, 0);
}

TEST_F(Transport, WritesWhatIsUnsentBeforeItCloses) {
  std::string expected;
  {
    StdioTransport transport(loop_, to_server_[0], from_server_[1], handlers());
    for (int i = 0; i < 100; ++i) {
      transport.send("message " + std::to_string(i) + "\n");
      expected += "message " + std::to_string(i) + "\n";
    }
  }
  close_end(from_server_[1]);
  EXPECT_EQ(read_to_end(), expected);
}

TEST_F(Transport, NoticesThatTheClientIsGone) {
  StdioTransport transport(loop_, to_server_[0], from_server_[1], handlers());
  close_end(from_server_[0]);
  transport.send("anybody?");
  EXPECT_TRUE(loop_.run_until([&] { return lost_ == 1; }));
  transport.send("dropped");
  transport.close();
  EXPECT_EQ(lost_, 1);
}

TEST_F(Transport, GivesUpAClientThatDoesNotRead) {
  StdioTransport transport(loop_, to_server_[0], from_server_[1], handlers(),
                           {.unsent_limit_bytes = 1 << 20, .flush_limit = std::chrono::milliseconds(1)});
  const std::string message(300000, 'x');
  // The writing thread may take what waits once, whenever it wakes; the rest alone is over the limit.
  for (int i = 0; i < 12; ++i) transport.send(message);
  EXPECT_TRUE(loop_.run_until([&] { return lost_ == 1; }));
  transport.close();  // does not wait for the client either
}

TEST_F(Transport, ClosesWhileTheInputIsSilentOrUnhandled) {
  { StdioTransport silent(loop_, to_server_[0], from_server_[1], handlers()); }
  write_bytes("never handled");
  { StdioTransport unhandled(loop_, to_server_[0], from_server_[1], handlers()); }
  loop_.run_posted();
  EXPECT_EQ(received_, "");
  EXPECT_EQ(ends_, 0);
}

TEST_F(Transport, ReadsAFileAsItsInput) {
  const std::string path = ::testing::TempDir() + "/weft_transport_input";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  ::unlink(path.c_str());
  ASSERT_EQ(write(file, "from a file", 11), 11);
  ASSERT_EQ(lseek(file, 0, SEEK_SET), 0);
  {
    StdioTransport transport(loop_, file, from_server_[1], handlers());
    EXPECT_TRUE(loop_.run_until([&] { return ends_ == 1; }));
  }
  EXPECT_EQ(received_, "from a file");
  ::close(file);
}

}  // namespace
}  // namespace weft::test
