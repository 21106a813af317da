// Streams are played against real sessions; only the model behind them is a stand-in.
#include "lsp/command/typing_replay.h"

#include <cstddef>
#include <map>
#include <utility>

#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

using generation::CompletionRequest;
using generation::CompletionResult;

// Says "x" at the cursor; to the first `late` requests only when the next one is there.
class SayingBackend final : public CompletionBackend {
 public:
  explicit SayingBackend(std::size_t late) : late_(late) {}

  RequestId complete(CompletionRequest request, Done done) override {
    CompletionResult result;
    result.items.push_back({"x", request.cursor, request.cursor, 0});
    result.timings.prompt_tokens = 10;
    result.timings.prefilled_tokens = 2;
    if (held_) std::exchange(held_, nullptr)(result);
    if (asked_++ < late_) {
      held_ = std::move(done);
    } else {
      done(std::move(result));
    }
    return RequestId(asked_);
  }
  void cancel(RequestId) override {}
  void file_changed(const std::string&) override {}
  [[nodiscard]] std::vector<generation::MemoryState> memory_state() const override { return {}; }

 private:
  const std::size_t late_;
  std::size_t asked_ = 0;  // on the I/O thread alone
  Done held_;
};

TypingStream stream(const std::string& name, std::size_t keys, double key_ms) {
  const std::string uri = "file:///" + name + ".py";
  TypingStream out{name, {}};
  double at = 0;
  const auto send = [&](Json body) {
    body["jsonrpc"] = "2.0";
    out.events.push_back({at, std::move(body)});
  };
  send({{"id", 1}, {"method", "initialize"}, {"params", {{"capabilities", Json::object()}}}});
  send({{"method", "initialized"}, {"params", Json::object()}});
  send({{"method", "textDocument/didOpen"},
        {"params", {{"textDocument", {{"uri", uri}, {"languageId", "python"}, {"version", 1}, {"text", "a = 1\n"}}}}}});
  for (std::size_t key = 0; key < keys; ++key, at += key_ms) {
    const Json here = {{"line", 0}, {"character", key}};
    send({{"method", "textDocument/didChange"},
          {"params",
           {{"textDocument", {{"uri", uri}, {"version", key + 2}}},
            {"contentChanges", {{{"range", {{"start", here}, {"end", here}}}, {"text", "b"}}}}}}});
    send({{"id", key + 2},
          {"method", "textDocument/inlineCompletion"},
          {"params",
           {{"textDocument", {{"uri", uri}}},
            {"position", {{"line", 0}, {"character", key + 1}}},
            {"context", {{"triggerKind", 2}}}}}});
  }
  return out;
}

class TypingReplay : public testing::Test {
 protected:
  Expected<ReplayEnd> play(const std::vector<TypingStream>& streams, std::size_t late = 0) {
    TypingDaemon daemon({.backend = std::make_shared<SayingBackend>(late), .info = {}});
    std::vector<const TypingStream*> all;
    for (const TypingStream& each : streams) all.push_back(&each);
    options_.on_answer = [this](const TypingStream& from, AskedKey asked) {
      asked_[from.name].push_back(std::move(asked));
    };
    return replay(daemon, all, options_, clock_);
  }

  const SteadyClock clock_;
  ReplayOptions options_;
  std::map<std::string, std::vector<AskedKey>> asked_;
};

TEST_F(TypingReplay, EveryKeyIsAnsweredOnceWithItsTimings) {
  const auto end = play({stream("one", 5, 20)});
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->unanswered, 0U);
  EXPECT_EQ(end->surplus, 0U);
  ASSERT_EQ(asked_["one"].size(), 5U);
  for (const AskedKey& asked : asked_["one"]) {
    EXPECT_TRUE(asked.key);
    EXPECT_TRUE(asked.inside_line);
    EXPECT_EQ(asked.outcome, Outcome::kOffered);
    ASSERT_TRUE(asked.timings);
    EXPECT_EQ(asked.timings->prefilled_tokens, 2U);
    EXPECT_GT(asked.latency_ms, 0);
  }
}

TEST_F(TypingReplay, KeepsTheStreamsTimeAndTheSpeed) {
  options_.speed = 2;
  const TimePoint begin = clock_.now();
  ASSERT_TRUE(play({stream("one", 5, 100)}));
  EXPECT_GE(milliseconds_between(begin, clock_.now()), 4 * 100 / 2.0);
}

TEST_F(TypingReplay, EditorsTypeAtOnce) {
  const auto end = play({stream("one", 3, 10), stream("two", 4, 10), stream("three", 5, 10)});
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(asked_["one"].size(), 3U);
  EXPECT_EQ(asked_["two"].size(), 4U);
  EXPECT_EQ(asked_["three"].size(), 5U);
}

TEST_F(TypingReplay, WhatAKeyOvertookIsWithdrawn) {
  const auto end = play({stream("one", 3, 10)}, 2);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->unanswered, 0U);
  ASSERT_EQ(asked_["one"].size(), 3U);
  for (std::size_t key = 0; key < 2; ++key) {
    EXPECT_EQ(asked_["one"][key].outcome, Outcome::kWithdrawn);
    EXPECT_FALSE(asked_["one"][key].timings);
  }
  EXPECT_EQ(asked_["one"][2].outcome, Outcome::kOffered);
}

TEST_F(TypingReplay, EndsWhenItIsCancelled) {
  options_.on_tick = [this](double) {
    if (asked_["one"].size() == 1) options_.cancel.cancel();
  };
  const auto end = play({stream("one", 2, 600'000)});
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_TRUE(end->interrupted);
  EXPECT_EQ(asked_["one"].size(), 1U);
}

}  // namespace
}  // namespace weft::lsp
