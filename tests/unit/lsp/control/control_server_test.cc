// The real socket: one thread turns the loop, another is the client.
#include "lsp/control/control_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "lsp/control/control_client.h"
#include "lsp/control/socket_folder.h"
#include "tests/support/lsp/fake_adapters.h"

namespace weft::lsp {
namespace {

class Server : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/weft-test-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    stop();
    std::filesystem::remove_all(folder_);
  }

  void start(ControlOptions options = {}) {
    options.folder = folder_;
    options.identity = {"1.2.3", getpid()};
    auto server = ControlServer::listen(loop_, host_, std::move(options));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    host_.start({.on_progress = [](int) {}, .on_settled = [this] { ready_.set_value(); }});
    thread_ = std::thread([this] { loop_.run(); });
    ready_.get_future().wait();
  }
  void stop() {
    if (!thread_.joinable()) return;
    loop_.stop();
    thread_.join();
    server_.reset();
  }

  [[nodiscard]] Expected<ControlClient> connect() const {
    return ControlClient::connect(socket_path(folder_, getpid()), {.version = "1", .patience = patience_});
  }
  // Until the daemon closes it; what it sent.
  static std::string read_to_end(int fd) {
    std::string out;
    char chunk[512];
    const timeval patience{30, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    for (;;) {
      const ssize_t count = recv(fd, chunk, sizeof(chunk), 0);
      if (count <= 0) return count == 0 ? out : out + "<not closed>";
      out.append(chunk, static_cast<std::size_t>(count));
    }
  }
  [[nodiscard]] int raw() const {
    const auto fd = connect_to_socket(socket_path(folder_, getpid()));
    EXPECT_TRUE(fd);
    fcntl(*fd, F_SETFL, 0);  // blocking
    return *fd;
  }

  std::string folder_;
  std::chrono::milliseconds patience_{30'000};
  AsioLoop loop_;
  std::shared_ptr<test::FakeAdapters> adapters_ = std::make_shared<test::FakeAdapters>();
  ModelHost host_{loop_, [this](const auto&) -> Expected<ReadyModel> {
                    ReadyModel ready;
                    ready.info.name = "fake-model";
                    ready.adapters = adapters_;
                    return ready;
                  }};
  std::promise<void> ready_;
  std::unique_ptr<ControlServer> server_;
  std::thread thread_;
};

TEST_F(Server, AnswersClientsAtAnOwnerOnlySocket) {
  start();
  struct stat status {};
  ASSERT_EQ(lstat(server_->path().c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  auto first = connect(), second = connect();
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(first->ask("weft/status", nullptr)->at("state"), "ready");
  EXPECT_TRUE(second->ask("weft/adapters/list", nullptr)->at("adapters").empty());
  const auto refused = first->ask("weft/adapters/remove", {{"name", "x"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "no adapter 'x'");
}

TEST_F(Server, TakesItsSocketWithIt) {
  start();
  auto client = connect();
  ASSERT_TRUE(client);
  const std::string path = server_->path();
  stop();
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(client->ask("weft/status", nullptr));
  EXPECT_FALSE(connect());
}

TEST_F(Server, ASocketOfAnEarlierProcessIsReplaced) {
  std::filesystem::create_directories(folder_);
  start();
  stop();
  // bind alone leaves a file that nobody serves
  AsioLoop other;
  auto again = ControlServer::listen(other, host_, {.folder = folder_, .identity = {"1", getpid()}});
  ASSERT_TRUE(again) << again.error().message;
  auto second = ControlServer::listen(other, host_, {.folder = folder_, .identity = {"1", getpid()}});
  EXPECT_TRUE(second);
}

TEST_F(Server, GarbageIsAnsweredAndTheNextClientServed) {
  start();
  const int fd = raw();
  const std::string garbage = "GET / HTTP/1.1\r\n\r\n";
  ASSERT_EQ(send(fd, garbage.data(), garbage.size(), MSG_NOSIGNAL), static_cast<ssize_t>(garbage.size()));
  EXPECT_NE(read_to_end(fd).find("-32700"), std::string::npos);
  ::close(fd);
  EXPECT_TRUE(connect());
}

TEST_F(Server, OneClientTooManyIsTurnedAway) {
  start({.most_clients = 2});
  auto first = connect(), second = connect();
  ASSERT_TRUE(first && second);
  const int fd = raw();
  EXPECT_EQ(read_to_end(fd), "");
  ::close(fd);
  EXPECT_TRUE(first->ask("weft/status", nullptr));
}

TEST_F(Server, WhoSaysNothingIsLetGo) {
  start({.idle_limit = std::chrono::milliseconds(20)});
  const int fd = raw();
  EXPECT_EQ(read_to_end(fd), "");
  ::close(fd);
}

TEST_F(Server, WhoWaitsForAnAnswerIsNotLetGo) {
  start({.idle_limit = std::chrono::milliseconds(20)});
  auto asked = std::async(std::launch::async, [this] {
    auto client = connect();
    return client ? client->ask("weft/adapters/add", {{"directory", "/a"}}) : Expected<Json>(client.error());
  });
  std::function<void()> answer_late = [&] {
    if (adapters_->held.empty()) return void(loop_.after(std::chrono::milliseconds(1), answer_late));
    loop_.after(std::chrono::milliseconds(120), [this] { adapters_->answer(); });  // several idle limits later
  };
  loop_.post(answer_late);
  const auto added = asked.get();
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(added->at("name"), "bugs");
}

TEST_F(Server, WhoDoesNotReadIsLetGo) {
  start({.unsent_limit_bytes = 10'000});
  const int fd = raw();
  int size = 4096;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
  std::string question = encode_frame(encode_request(1, "initialize", Json::object()));
  for (int i = 0; i < 200; ++i) question += encode_frame(encode_request(i, "weft/status", nullptr));
  bool closed = false;
  for (int i = 0; i < 2000 && !closed; ++i) closed = send(fd, question.data(), question.size(), MSG_NOSIGNAL) < 0;
  EXPECT_TRUE(closed);
  ::close(fd);
  EXPECT_TRUE(connect());
}

TEST_F(Server, AFolderThatIsNotThereIsAnError) {
  EXPECT_FALSE(ControlServer::listen(loop_, host_, {.folder = folder_ + "/absent", .identity = {"1", 1}}));
}

}  // namespace
}  // namespace weft::lsp
