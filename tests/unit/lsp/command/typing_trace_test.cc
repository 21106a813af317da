#include "lsp/command/typing_trace.h"

#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

std::string line(double at_ms, std::size_t editor, const char* method, const char* params = "{}") {
  return R"({"time_ms":)" + std::to_string(at_ms) + R"(,"editor":)" + std::to_string(editor) +
         R"(,"body":{"jsonrpc":"2.0","method":")" + method + R"(","params":)" + params + "}}\n";
}

constexpr const char* kDocument = R"({"textDocument":{"uri":"file:///a.py"}})";

std::string change(double at_ms, std::size_t editor = 0) {
  return line(at_ms, editor, "textDocument/didChange", kDocument);
}
std::string ask(double at_ms, std::size_t editor = 0) {
  return line(at_ms, editor, "textDocument/inlineCompletion", kDocument);
}
std::string hello(double at_ms, std::size_t editor = 0) { return line(at_ms, editor, "initialize"); }

std::vector<double> times(const TypingStream& stream) {
  std::vector<double> out;
  for (const TraceEvent& event : stream.events) out.push_back(event.at_ms);
  return out;
}

TEST(TypingTrace, ReadsWhatTheDaemonRecords) {
  const std::string lines = R"({"about":"a line that is no message"})"
                            "\n"
                            R"({"time_ms":1,"from":"client","body":"{\"method\":\"initialize\",\"id\":1}"})"
                            "\n"
                            R"({"time_ms":2,"from":"server","body":"{\"id\":1,\"result\":{}}"})"
                            "\n"
                            R"({"time_ms":2.5,"from":"client","body":"{\"id\":7,\"result\":null}"})"
                            "\n" +
                            change(3) + ask(4);
  const auto trace = parse_trace("session", lines);
  ASSERT_TRUE(trace) << trace.error().message;
  ASSERT_EQ(trace->editors.size(), 1U);
  EXPECT_EQ(trace->editors[0].name, "session");
  EXPECT_EQ(times(trace->editors[0]), (std::vector<double>{1, 3, 4}));
  EXPECT_EQ(trace->editors[0].events[0].body["id"], 1);
}

TEST(TypingTrace, TellsEditorsApart) {
  const auto trace =
      parse_trace("pair", hello(0, 0) + hello(1, 1) + change(5, 1) + change(6, 0) + ask(7, 0) + ask(8, 1));
  ASSERT_TRUE(trace) << trace.error().message;
  ASSERT_EQ(trace->editors.size(), 2U);
  EXPECT_EQ(trace->editors[1].name, "pair.1");
  EXPECT_EQ(times(trace->editors[1]), (std::vector<double>{1, 5, 8}));
}

TEST(TypingTrace, SaysWhichLineIsWrong) {
  EXPECT_EQ(parse_trace("x", hello(0) + "{oh\n").error().message, "x:2: not a JSON object");
  EXPECT_EQ(parse_trace("x", R"({"body":{"method":"initialize"}})").error().message, "x:1: no time_ms");
  EXPECT_EQ(parse_trace("x", R"({"time_ms":1,"editor":-1,"body":{"method":"initialize"}})").error().message,
            "x:1: editor is -1, not a number from 0 on");
  EXPECT_EQ(parse_trace("x", "").error().message, "x: no message of a client's");
  EXPECT_EQ(parse_trace("x", change(0)).error().message, "x: an editor does not begin with initialize");
  EXPECT_EQ(parse_trace("x", hello(0) + ask(1)).error().message, "x: nothing is typed");
}

// Two changes and one question are one key; a question without a change is none.
TEST(TypingTrace, AKeyIsAQuestionAfterAChange) {
  const auto trace = parse_trace("x", hello(0) + change(1) + change(2) + ask(3) + ask(4) + change(5) + ask(6) + ask(7));
  ASSERT_TRUE(trace);
  EXPECT_EQ(count_keys(trace->editors[0]), 2U);
}

TEST(TypingTrace, KeepsWhatComesBeforeTheNextKey) {
  auto trace = parse_trace("x", hello(0) + change(1) + ask(2) + change(3) + ask(4) + change(5) + ask(6));
  ASSERT_TRUE(trace);
  TypingStream& stream = trace->editors[0];
  keep_keys(stream, 2);
  EXPECT_EQ(count_keys(stream), 2U);
  EXPECT_EQ(stream.events.back().at_ms, 5);
}

// Only what nobody fills is a pause: while one editor waits the other may type.
TEST(TypingTrace, CutsPausesOfAllEditorsAtOnce) {
  auto trace = parse_trace("x", hello(0, 0) + hello(10, 1) + change(20, 0) + ask(30, 0) + change(530, 1) +
                                    ask(1030, 0) + change(5030, 0) + ask(5040, 1));
  ASSERT_TRUE(trace);
  cut_pauses(*trace, 1000);
  EXPECT_EQ(times(trace->editors[0]), (std::vector<double>{0, 20, 30, 1030, 2030}));
  EXPECT_EQ(times(trace->editors[1]), (std::vector<double>{10, 530, 2040}));
}

TEST(TypingTrace, ShippedOnesAreFiveOrMoreWithTwoEditorsInOne) {
  const auto files = shipped_traces();
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_GE(files->size(), 5U);
  bool pair = false;
  for (const std::string& file : *files) {
    const auto trace = read_trace(file);
    ASSERT_TRUE(trace) << trace.error().message;
    pair = pair || trace->editors.size() == 2;
    for (const TypingStream& stream : trace->editors) EXPECT_GT(count_keys(stream), 50U) << stream.name;
  }
  EXPECT_TRUE(pair);
}

TEST(TypingTrace, AMissingFileIsNamed) {
  EXPECT_NE(read_trace("nowhere/at.jsonl").error().message.find("nowhere/at.jsonl"), std::string::npos);
}

}  // namespace
}  // namespace weft::lsp
