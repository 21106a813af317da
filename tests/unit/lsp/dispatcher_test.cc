// The dispatcher by itself: handlers that fail, and the server's own requests.
#include "lsp/dispatcher.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

class DispatcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dispatcher.on_initialize([](const Json&) -> Expected<Json> { return Json::object(); });
    dispatcher.receive(encode_request(0, "initialize", Json::object()));
    sent.clear();
  }
  std::vector<Json> sent;
  Dispatcher dispatcher{[this](const std::string& body) { sent.push_back(Json::parse(body)); }};
};

TEST_F(DispatcherTest, AHandlerThatThrowsAnswersAnInternalError) {
  dispatcher.on_request("broken", [](const Json&, Reply) { throw std::runtime_error("a bug"); });
  dispatcher.receive(encode_request(1, "broken", nullptr));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].at("id"), 1);
  EXPECT_EQ(sent[0].at("error").at("code"), -32603);
}

TEST_F(DispatcherTest, ANotificationThatThrowsHarmsNothing) {
  dispatcher.on_notification("broken", [](const Json&) { throw std::runtime_error("a bug"); });
  dispatcher.receive(encode_notification("broken", nullptr));
  EXPECT_TRUE(sent.empty());
  EXPECT_TRUE(dispatcher.running());
}

TEST_F(DispatcherTest, AnswersFindTheirCallsOnce) {
  std::vector<Json> answers;
  const auto keep = [&](const Response& response) {
    answers.push_back(response.error.is_null() ? response.result : response.error);
  };
  dispatcher.call("first", nullptr, keep);
  dispatcher.call("second", nullptr, keep);
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_NE(sent[0].at("id"), sent[1].at("id"));
  dispatcher.receive(encode_result(sent[1].at("id"), "two"));
  dispatcher.receive(encode_error(sent[0].at("id"), {ErrorCode::kMethodNotFound, "no"}));
  dispatcher.receive(encode_result(sent[0].at("id"), "again"));
  dispatcher.receive(encode_result("unknown", "nobody"));
  dispatcher.receive(encode_result(nullptr, "nobody"));
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0], "two");
  EXPECT_EQ(answers[1].at("code"), -32601);
  EXPECT_EQ(sent.size(), 2U) << "answers are not answered";
}

TEST_F(DispatcherTest, NothingIsHandledAfterExit) {
  dispatcher.receive(encode_notification("exit", nullptr));
  dispatcher.receive(encode_request(2, "anything", nullptr));
  EXPECT_TRUE(sent.empty());
  EXPECT_EQ(dispatcher.exit_code(), 1);
}

}  // namespace
}  // namespace weft::lsp
