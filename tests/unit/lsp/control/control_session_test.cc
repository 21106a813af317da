#include "lsp/control/control_session.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/lsp/fake_adapters.h"
#include "tests/support/lsp/test_loop.h"

namespace weft::lsp {
namespace {

using test::FakeAdapters;

constexpr FrameLimits kLimits{.header_bytes = 256, .body_bytes = 4096};

class Session : public ::testing::Test {
 protected:
  void SetUp() override {
    host_.start({.on_progress = [](int) {}, .on_settled = [this] { settled_ = true; }});
    ASSERT_TRUE(loop_.run_until([this] { return settled_; }));
    open();
  }

  void open() {
    session_ = std::make_unique<ControlSession>(loop_, host_, ControlIdentity{"1.2.3", 42}, kLimits,
                                                [this](std::string bytes) { frames_.feed(bytes); });
  }

  static std::string request(int id, const char* method, const Json& params = nullptr) {
    return encode_frame(encode_request(id, method, params));
  }
  void begin() {
    session_->receive(request(0, "initialize", Json::object()));
    answers();
  }
  // What has been sent so far, as messages.
  std::vector<Json> answers() {
    loop_.run_posted();
    std::vector<Json> out;
    while (auto frame = frames_.next()) {
      EXPECT_TRUE(frame->has_value());
      out.push_back(Json::parse(**frame));
    }
    return out;
  }
  Json ask(const char* method, const Json& params = nullptr) {
    session_->receive(request(++last_id_, method, params));
    const auto all = answers();
    return all.size() == 1 ? all.front() : Json(all);
  }

  test::TestLoop loop_;
  std::shared_ptr<FakeAdapters> adapters_ = std::make_shared<FakeAdapters>();
  bool settled_ = false;
  ModelHost host_{loop_, [this](const auto&) -> Expected<ReadyModel> {
                    ReadyModel ready;
                    ready.info.name = "fake-model";
                    ready.adapters = adapters_;
                    return ready;
                  }};
  FrameDecoder frames_;
  std::unique_ptr<ControlSession> session_;
  int last_id_ = 0;
};

TEST_F(Session, BeginsWithInitialize) {
  EXPECT_EQ(ask("weft/status")["error"]["code"], -32002);
  const Json greeted = ask("initialize", Json::object());
  EXPECT_EQ(greeted["result"]["serverInfo"]["version"], "1.2.3");
  EXPECT_EQ(greeted["result"]["pid"], 42);
  const Json status = ask("weft/status");
  EXPECT_EQ(status["result"]["state"], "ready");
  EXPECT_EQ(status["result"]["pid"], 42);
  EXPECT_EQ(status["result"]["model"]["name"], "fake-model");
}

TEST_F(Session, AddListRemove) {
  begin();
  session_->receive(request(1, "weft/adapters/add", {{"directory", "/adapters/bugs"}}));
  EXPECT_TRUE(answers().empty());
  EXPECT_EQ(session_->open_requests(), 1U);
  adapters_->answer();
  const auto added = answers();
  ASSERT_EQ(added.size(), 1U);
  EXPECT_EQ(added[0]["result"]["name"], "bugs");
  EXPECT_EQ(session_->open_requests(), 0U);
  const Json listed = ask("weft/adapters/list");
  ASSERT_EQ(listed["result"]["adapters"].size(), 1U);
  EXPECT_EQ(listed["result"]["adapters"][0]["directory"], "/adapters/bugs");
  EXPECT_EQ(ask("weft/adapters/remove", {{"name", "bugs"}})["result"]["removed"], "bugs");
  EXPECT_EQ(ask("weft/adapters/remove", {{"name", "bugs"}})["error"]["code"], -32803);
}

TEST_F(Session, InspectSaysWhatIsInTheFolder) {
  begin();
  session_->receive(request(1, "weft/adapters/inspect", {{"directory", "/adapters/bugs"}}));
  adapters_->answer();
  const auto inspected = answers();
  ASSERT_EQ(inspected.size(), 1U);
  EXPECT_EQ(inspected[0]["result"]["modules"], 3);
  EXPECT_EQ(inspected[0]["result"]["parameters"], 30);
}

TEST_F(Session, WhatCannotBeAddedIsTold) {
  begin();
  session_->receive(request(1, "weft/adapters/add", {{"directory", "/adapters/bugs"}}));
  adapters_->answer("/adapters/bugs: shape mismatch");
  const auto answered = answers();
  ASSERT_EQ(answered.size(), 1U);
  EXPECT_EQ(answered[0]["error"]["message"], "/adapters/bugs: shape mismatch");
}

TEST_F(Session, ParamsThatAreNoneAreRefused) {
  begin();
  for (const Json& params :
       {Json(nullptr), Json::array(), Json::object(), Json{{"directory", 1}}, Json{{"directory", ""}},
        Json{{"directory", "bugs"}}, Json{{"directory", std::string("/a\0b", 4)}}}) {
    EXPECT_EQ(ask("weft/adapters/add", params)["error"]["code"], -32602) << params;
    EXPECT_EQ(ask("weft/adapters/inspect", params)["error"]["code"], -32602) << params;
  }
  EXPECT_EQ(ask("weft/adapters/remove", {{"name", Json::array()}})["error"]["code"], -32602);
  EXPECT_EQ(ask("weft/adapters/explode")["error"]["code"], -32601);
  EXPECT_TRUE(adapters_->held.empty());
}

TEST_F(Session, AClientHasFewRequestsUnderWay) {
  begin();
  for (std::size_t i = 0; i < AdapterMethods::kMostOpenRequests; ++i) {
    session_->receive(request(static_cast<int>(i), "weft/adapters/add", {{"directory", "/a"}}));
  }
  EXPECT_TRUE(answers().empty());
  EXPECT_EQ(ask("weft/adapters/add", {{"directory", "/a"}})["error"]["code"], -32803);
}

TEST_F(Session, AnAnswerAfterTheEndGoesNowhere) {
  begin();
  session_->receive(request(1, "weft/adapters/add", {{"directory", "/a"}}));
  session_.reset();
  adapters_->answer();
  loop_.run_posted();
}

TEST_F(Session, TheSameAtEverySplit) {
  const std::string stream = request(1, "initialize", Json::object()) + request(2, "weft/status") +
                             request(3, "weft/adapters/list") + request(4, "weft/adapters/remove", {{"name", "x"}});
  session_->receive(stream);
  const auto whole = answers();
  ASSERT_EQ(whole.size(), 4U);
  for (std::size_t at = 0; at <= stream.size(); ++at) {
    open();
    session_->receive(std::string_view(stream).substr(0, at));
    session_->receive(std::string_view(stream).substr(at));
    ASSERT_EQ(answers(), whole) << at;
  }
}

TEST_F(Session, WhatIsNoFrameIsAnsweredAndEndsIt) {
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("Content-Length: two\r\n\r\n"), std::string(1000, 'x'),
        std::string("Content-Length: 99999999\r\n\r\n"), std::string("\r\nX: y\r\n\r\n")}) {
    open();
    session_->receive(garbage);
    EXPECT_TRUE(session_->over()) << garbage;
    const auto told = answers();
    ASSERT_EQ(told.size(), 1U) << garbage;
    EXPECT_EQ(told[0]["error"]["code"], -32700);
    session_->receive(request(1, "initialize", Json::object()));
    EXPECT_TRUE(answers().empty());
  }
}

TEST_F(Session, BodiesThatAreNoMessagesAreAnsweredAndItGoesOn) {
  begin();
  for (const char* body : {"{", "[]", "null", "\xff\xfe", "{\"id\": 1}"}) {
    session_->receive(encode_frame(body));
    EXPECT_EQ(answers().size(), 1U) << body;
  }
  EXPECT_EQ(ask("weft/status")["result"]["state"], "ready");
}

TEST_F(Session, RandomBytesDoNoHarm) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    open();
    std::string bytes = request(1, "initialize", Json::object()) + request(2, "weft/adapters/list");
    for (int i = 0; i < 6; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    session_->receive(bytes);
    answers();
  }
}

TEST_F(Session, ExitEndsIt) {
  begin();
  ask("shutdown");
  session_->receive(encode_frame(encode_notification("exit", nullptr)));
  EXPECT_TRUE(session_->over());
}

TEST(SessionWithoutModel, SaysSo) {
  test::TestLoop loop;
  bool settled = false;
  ModelHost host(loop, [](const auto&) -> Expected<ReadyModel> { return make_error("no such folder"); });
  FrameDecoder frames;
  ControlSession session(loop, host, {"1.2.3", 42}, kLimits, [&](const std::string& bytes) { frames.feed(bytes); });
  const auto last_answer = [&] {
    Json last;
    while (auto frame = frames.next()) last = Json::parse(**frame);
    return last;
  };
  session.receive(encode_frame(encode_request(1, "initialize", Json::object())));
  session.receive(encode_frame(encode_request(2, "weft/adapters/list", nullptr)));
  EXPECT_NE(last_answer()["error"]["message"].get<std::string>().find("still loading"), std::string::npos);
  host.start({.on_progress = [](int) {}, .on_settled = [&] { settled = true; }});
  ASSERT_TRUE(loop.run_until([&] { return settled; }));
  session.receive(encode_frame(encode_request(3, "weft/adapters/list", nullptr)));
  EXPECT_NE(last_answer()["error"]["message"].get<std::string>().find("no such folder"), std::string::npos);
  session.receive(encode_frame(encode_request(4, "weft/status", nullptr)));
  EXPECT_EQ(last_answer()["result"]["state"], "failed");
}

}  // namespace
}  // namespace weft::lsp
