// Frames: what comes out of well-formed and malformed streams.
#include "lsp/frame.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Bodies as they are, errors as "! message".
std::vector<std::string> decode(std::string_view stream, FrameLimits limits = {}) {
  FrameDecoder decoder(limits);
  decoder.feed(stream);
  std::vector<std::string> out;
  while (auto frame = decoder.next()) out.push_back(*frame ? **frame : "! " + frame->error().message);
  return out;
}

TEST(Frame, EncodedFramesComeBack) {
  EXPECT_THAT(decode(encode_frame("{}") + encode_frame("") + encode_frame("ä\r\n\r\n")),
              ElementsAre("{}", "", "ä\r\n\r\n"));
}

TEST(Frame, OtherHeadersAndSpellingsAreFine) {
  EXPECT_THAT(decode("content-length:2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n{}"),
              ElementsAre("{}"));
  EXPECT_THAT(decode("X: y\nCONTENT-LENGTH:  2 \n\n{}\r\n\r\nContent-Length: 1\r\n\r\n1"), ElementsAre("{}", "1"));
}

TEST(Frame, WaitsForTheRest) {
  FrameDecoder decoder;
  const std::string frame = encode_frame("abc");
  decoder.feed(std::string_view(frame).substr(0, frame.size() - 1));
  EXPECT_FALSE(decoder.next());
  EXPECT_FALSE(decoder.at_boundary());
  decoder.feed("c");
  const auto body = decoder.next();
  ASSERT_TRUE(body && *body);
  EXPECT_EQ(**body, "abc");
  EXPECT_TRUE(decoder.at_boundary());
}

TEST(Frame, GoesOnAfterWhatItCannotRead) {
  const std::string good = encode_frame("{}");
  EXPECT_THAT(decode("garbage\n" + good), ElementsAre(HasSubstr("'garbage'"), "{}"));
  EXPECT_THAT(decode("garbage without an end " + good), ElementsAre(StartsWith("! "), "{}"));
  EXPECT_THAT(decode("Content-Length: many\r\n\r\n{\"x\":1}" + good), ElementsAre(HasSubstr("'many'"), "{}"));
  EXPECT_THAT(decode("Content-Length: -1\r\n\r\n" + good), ElementsAre(HasSubstr("'-1'"), "{}"));
  EXPECT_THAT(decode("Content-Length: 99999999999999999999999\r\n\r\n" + good), ElementsAre(StartsWith("! "), "{}"));
  EXPECT_THAT(decode("Content-Type: x\r\n\r\n{}" + good), ElementsAre(HasSubstr("no Content-Length"), "{}"));
  EXPECT_THAT(decode("A: b\r\n\r\n" + good), ElementsAre(StartsWith("! "), "{}"));
}

TEST(Frame, TwoLengthsMustAgree) {
  EXPECT_THAT(decode("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"), ElementsAre("{}"));
  EXPECT_THAT(decode("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}" + encode_frame("1")),
              ElementsAre(HasSubstr("2 and 3"), "1"));
}

TEST(Frame, TooLargeABodyIsSkippedWhole) {
  const std::string large = encode_frame(std::string(100, 'x') + encode_frame("inside"));
  EXPECT_THAT(decode(large + encode_frame("next"), {.header_bytes = 64, .body_bytes = 50}),
              ElementsAre(HasSubstr("larger than the 50 allowed"), "next"));
}

TEST(Frame, AnAbsurdLengthDoesNotSwallowTheStream) {
  EXPECT_THAT(decode("Content-Length: 1000000000000\r\n\r\n" + encode_frame("next")),
              ElementsAre(HasSubstr("1000000000000"), "next"));
}

TEST(Frame, AnEndlessHeaderIsRefused) {
  const auto out = decode(std::string(1000, 'x'), {.header_bytes = 100, .body_bytes = 100});
  EXPECT_THAT(out, ElementsAre(HasSubstr("longer than 100 bytes")));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "A: b\r\n";
  EXPECT_THAT(decode(many + encode_frame("{}"), {.header_bytes = 100, .body_bytes = 100}),
              ElementsAre(HasSubstr("longer than 100 bytes"), "{}"));
}

}  // namespace
}  // namespace weft::lsp
