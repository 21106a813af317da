// JSON-RPC messages, and the Reply that nobody can forget.
#include "lsp/json_rpc.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lsp/reply.h"

namespace weft::lsp {
namespace {

template <class Kind>
Kind parse(std::string_view body) {
  Message message = parse_message(body);
  EXPECT_TRUE(std::holds_alternative<Kind>(message)) << body;
  return std::holds_alternative<Kind>(message) ? std::get<Kind>(std::move(message)) : Kind{};
}

TEST(ParseMessage, TellsTheKindsApart) {
  EXPECT_EQ(parse<Request>(R"({"jsonrpc":"2.0","id":1,"method":"m","params":{"a":2}})").params.at("a"), 2);
  EXPECT_EQ(parse<Request>(R"({"jsonrpc":"2.0","id":"x","method":"m"})").id, "x");
  EXPECT_EQ(parse<Notification>(R"({"jsonrpc":"2.0","method":"m","params":[1]})").method, "m");
  EXPECT_EQ(parse<Response>(R"({"jsonrpc":"2.0","id":3,"result":null})").id, 3);
  EXPECT_EQ(parse<Response>(R"({"jsonrpc":"2.0","id":3,"error":{"code":1,"message":"no"}})").error.at("code"), 1);
}

TEST(ParseMessage, HalfASurrogatePairBecomesOneUnit) {
  const auto text = [](std::string_view escaped) {
    const std::string body = R"({"jsonrpc":"2.0","method":"m","params":{"t":")" + std::string(escaped) + "\"}}";
    return parse<Notification>(body).params.at("t").get<std::string>();
  };
  EXPECT_EQ(text(R"(a\ud83db)"), "a\uFFFDb");
  EXPECT_EQ(text(R"(a\udc00)"), "a\uFFFD");
  EXPECT_EQ(text(R"(\ud83d\ude00\ud83d)"), "\U0001F600\uFFFD");
  EXPECT_EQ(text(R"(\\ud83d\ud83d)"), "\\ud83d\uFFFD") << "an escaped backslash begins no escape";
}

TEST(ParseMessage, DepthIsBounded) {
  const auto nested = [](int depth) {
    return R"({"jsonrpc":"2.0","method":"m","params":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  parse<Notification>(nested(kMaxNesting - 1));
  EXPECT_EQ(parse<Malformed>(nested(kMaxNesting)).error.code, ErrorCode::kParseError);
  parse<Notification>(R"({"jsonrpc":"2.0","method":")" + std::string(1000, '[') + "\"}");
}

TEST(Encode, TextThatIsNotUtf8IsMended) {
  const Json message = Json::parse(encode_notification("m", {{"t", "a\xff"}}));
  EXPECT_EQ(message.at("params").at("t"), "a\uFFFD");
}

class Replies : public ::testing::Test {
 protected:
  Reply reply() {
    return {7, [this](const std::string& body) { sent.push_back(Json::parse(body)); }};
  }
  std::vector<Json> sent;
};

TEST_F(Replies, AnswerOnce) {
  reply().result({{"x", 1}});
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0], (Json{{"jsonrpc", "2.0"}, {"id", 7}, {"result", {{"x", 1}}}}));
}

TEST_F(Replies, ForgottenOnesAnswerAnInternalError) {
  { const Reply forgotten = reply(); }
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].at("error").at("code"), -32603);
  EXPECT_EQ(sent[0].at("id"), 7);
}

TEST_F(Replies, MovingIsNotForgetting) {
  Reply first = reply();
  Reply second = std::move(first);
  EXPECT_TRUE(sent.empty());
  std::move(second).error(ErrorCode::kInvalidParams, "no");
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].at("error").at("code"), -32602);
}

}  // namespace
}  // namespace weft::lsp
