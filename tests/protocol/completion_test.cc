// Sessions about completions, with a fake backend that answers when the test says so: what is offered and where, and
// how requests meet each other, cancellation, edits and time.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/lsp/fake_backend.h"
#include "tests/support/lsp/lsp_client.h"

namespace weft::test {
namespace {

const std::string kUri = "file:///code/a.py";
constexpr int kCancelled = -32800, kInvalidParams = -32602;

Json at(int line, int character) { return {{"line", line}, {"character", character}}; }

class Completion : public ::testing::Test {
 protected:
  void SetUp() override {
    client.open_session();
    client.wait_for_model();
    client.open(kUri, "x = 1\ny = fo\n");
  }

  Json popup(int line, int character) {
    const int id = client.request("textDocument/completion",
                                  {{"textDocument", {{"uri", kUri}}}, {"position", at(line, character)}});
    backend->answer(backend->requests().size() - 1, "o(x)\n    return x");
    return client.wait_for(id).at("result");
  }

  std::shared_ptr<FakeBackend> backend = std::make_shared<FakeBackend>();
  LspClient client{loader_of(backend)};
};

TEST_F(Completion, InlineItemHasTextAndARangeOnOneLine) {
  const int id = client.request_inline(kUri, 1, 6);
  ASSERT_EQ(backend->requests().size(), 1U);
  const auto& request = backend->requests()[0];
  EXPECT_EQ(*request.document.text, "x = 1\ny = fo\n");
  EXPECT_EQ(request.document.path, "/code/a.py");
  EXPECT_EQ(request.document.language, "python");
  EXPECT_EQ(request.cursor, 12U);
  EXPECT_EQ(request.trigger, generation::Trigger::kAutomatic);
  backend->answer(0, "o(x)");
  const Json expected = {{"items", {{{"insertText", "o(x)"}, {"range", {{"start", at(1, 6)}, {"end", at(1, 6)}}}}}}};
  EXPECT_EQ(client.wait_for(id).at("result"), expected);
}

TEST_F(Completion, ReplacedTextIsConvertedAndShownByFilterText) {
  client.open("file:///code/b.py", "ä𝕏 = (1)");
  const int id = client.request_inline("file:///code/b.py", 0, 7);  // behind "ä𝕏 = (", 𝕏 being two units
  ASSERT_EQ(backend->requests().at(0).cursor, 10U);
  generation::CompletionResult result;
  result.items.push_back({.text = "2 + 1)", .replace_begin = 10, .replace_end = 12, .score = -1});
  backend->answer(0, result);
  const Json item = client.wait_for(id).at("result").at("items").at(0);
  EXPECT_EQ(item.at("range"), (Json{{"start", at(0, 7)}, {"end", at(0, 9)}}));
  EXPECT_EQ(item.at("filterText"), "1)");
}

TEST_F(Completion, InvokedIsPassedOn) {
  client.request("textDocument/inlineCompletion",
                 {{"textDocument", {{"uri", kUri}}}, {"position", at(1, 6)}, {"context", {{"triggerKind", 1}}}});
  EXPECT_EQ(backend->requests().at(0).trigger, generation::Trigger::kInvoked);
}

TEST_F(Completion, ItemsContinueWhatIsSelectedInTheMenu) {
  const Json range = {{"start", at(1, 4)}, {"end", at(1, 6)}};
  const int id = client.request(
      "textDocument/inlineCompletion",
      {{"textDocument", {{"uri", kUri}}},
       {"position", at(1, 6)},
       {"context", {{"triggerKind", 2}, {"selectedCompletionInfo", {{"range", range}, {"text", "format"}}}}}});
  EXPECT_EQ(*backend->requests().at(0).document.text, "x = 1\ny = format\n");
  EXPECT_EQ(backend->requests().at(0).cursor, 16U);
  backend->answer(0, "(x)");
  const Json item = client.wait_for(id).at("result").at("items").at(0);
  EXPECT_EQ(item.at("insertText"), "format(x)");
  EXPECT_EQ(item.at("range"), range);
}

TEST_F(Completion, PopupRepeatsTheWordUnderWay) {
  const Json result = popup(1, 6);
  EXPECT_EQ(result.at("isIncomplete"), true);
  const Json item = result.at("items").at(0);
  EXPECT_EQ(item.at("label"), "foo(x) …");
  EXPECT_EQ(item.at("filterText"), "foo(x)");
  EXPECT_EQ(item.at("textEdit"),
            (Json{{"range", {{"start", at(1, 4)}, {"end", at(1, 6)}}}, {"newText", "foo(x)\n    return x"}}));
  EXPECT_FALSE(item.at("sortText").get<std::string>().empty());
}

TEST_F(Completion, NewerRequestSupersedesTheOlder) {
  const int older = client.request_inline(kUri, 1, 6);
  const int newer = client.request_inline(kUri, 1, 5);
  EXPECT_EQ(client.answer(older).at("result"), nullptr);
  EXPECT_TRUE(backend->was_cancelled(0));
  backend->answer(1, "new");
  EXPECT_EQ(client.wait_for(newer).at("result").at("items").at(0).at("insertText"), "new");
  backend->answer_cancelled(0);
  client.loop().run_posted();
  EXPECT_EQ(client.answers_to(older), 1U);
}

TEST_F(Completion, OtherDocumentsAndKindsAreNotSuperseded) {
  client.open("file:///code/b.py", "z");
  const int first = client.request_inline(kUri, 1, 6);
  client.request_inline("file:///code/b.py", 0, 1);
  client.request("textDocument/completion", {{"textDocument", {{"uri", kUri}}}, {"position", at(1, 6)}});
  EXPECT_EQ(client.answers_to(first), 0U);
  EXPECT_FALSE(backend->was_cancelled(0));
  backend->answer(0, "kept");
  EXPECT_EQ(client.wait_for(first).at("result").at("items").size(), 1U);
}

TEST_F(Completion, CancelledByTheClientIsSaidAtOnceAndStopsTheEngine) {
  const int id = client.request_inline(kUri, 1, 6);
  client.notify("$/cancelRequest", {{"id", id}});
  EXPECT_EQ(client.answer(id).at("error").at("code"), kCancelled);
  EXPECT_TRUE(backend->was_cancelled(0));
  backend->answer_cancelled(0);
  client.loop().run_posted();
  EXPECT_EQ(client.answers_to(id), 1U);
}

TEST_F(Completion, CancellingWhatIsAnsweredOrUnknownDoesNothing) {
  const int id = client.request_inline(kUri, 1, 6);
  backend->answer(0, "text");
  client.wait_for(id);
  client.notify("$/cancelRequest", {{"id", id}});
  client.notify("$/cancelRequest", {{"id", "nobody"}});
  client.notify("$/cancelRequest", {{"id", nullptr}});
  client.notify("$/cancelRequest", nullptr);
  EXPECT_EQ(client.answers_to(id), 1U);
  EXPECT_FALSE(backend->was_cancelled(0));
}

TEST_F(Completion, AnEditMakesTheAnswerStale) {
  const int id = client.request_inline(kUri, 1, 6);
  client.insert(kUri, 2, 1, 6, "o");
  EXPECT_EQ(client.answer(id).at("result"), nullptr);
  EXPECT_FALSE(backend->was_cancelled(0)) << "what it finds may serve the next key";
  backend->answer(0, "stale");
  client.loop().run_posted();
  EXPECT_EQ(client.answers_to(id), 1U);
  const int next = client.request_inline(kUri, 1, 7);
  EXPECT_EQ(*backend->requests().at(1).document.text, "x = 1\ny = foo\n");
  backend->answer(1, "(x)");
  EXPECT_EQ(client.wait_for(next).at("result").at("items").at(0).at("range").at("start"), at(1, 7));
}

TEST_F(Completion, AfterAnEditTheNextRequestStopsTheOlderWork) {
  client.request_inline(kUri, 1, 6);
  client.insert(kUri, 2, 1, 6, "o");
  client.request_inline(kUri, 1, 7);
  EXPECT_TRUE(backend->was_cancelled(0));
}

TEST_F(Completion, ClosingAnswersAndStops) {
  const int id = client.request_inline(kUri, 1, 6);
  client.notify("textDocument/didClose", {{"textDocument", {{"uri", kUri}}}});
  EXPECT_EQ(client.answer(id).at("result"), nullptr);
  EXPECT_TRUE(backend->was_cancelled(0));
}

TEST_F(Completion, WhatTakesTooLongIsAnsweredWithoutItems) {
  const int id = client.request_inline(kUri, 1, 6);
  client.loop().advance(std::chrono::milliseconds(4999));
  EXPECT_EQ(client.answers_to(id), 0U);
  client.loop().advance(std::chrono::milliseconds(1));
  EXPECT_EQ(client.answer(id).at("result"), nullptr);
  backend->answer(0, "late");
  client.loop().run_posted();
  EXPECT_EQ(client.answers_to(id), 1U);
  EXPECT_EQ(client.loop().timers(), 0U);
}

TEST_F(Completion, AFailingEngineIsToldOnceAndAnsweredEmpty) {
  for (const std::size_t i : {0U, 1U}) {
    const int id = client.request_inline(kUri, 1, 6);
    backend->answer(i, make_error("the device is gone"));
    EXPECT_EQ(client.wait_for(id).at("result"), nullptr);
  }
  const auto messages = client.notifications("window/logMessage");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_NE(messages[0].at("params").at("message").get<std::string>().find("the device is gone"), std::string::npos);
}

TEST_F(Completion, ADocumentThatIsNotOpenIsAnError) {
  const Json answer = client.ask("textDocument/inlineCompletion",
                                 {{"textDocument", {{"uri", "file:///no.py"}}}, {"position", at(0, 0)}});
  EXPECT_EQ(answer.at("error").at("code"), kInvalidParams);
  EXPECT_NE(answer.at("error").at("message").get<std::string>().find("file:///no.py"), std::string::npos);
}

TEST_F(Completion, WrongParamsNameTheField) {
  const Json document = {{"uri", kUri}};
  const Json good = {{"textDocument", document}, {"position", at(0, 0)}, {"context", {{"triggerKind", 2}}}};
  const auto refused = [&](const char* pointer, const Json& value, const std::string& field) {
    Json params = good;
    params[Json::json_pointer(pointer)] = value;
    const Json answer = client.ask("textDocument/inlineCompletion", params);
    ASSERT_TRUE(answer.contains("error")) << params;
    EXPECT_EQ(answer.at("error").at("code"), kInvalidParams);
    EXPECT_NE(answer.at("error").at("message").get<std::string>().find(field), std::string::npos) << answer;
  };
  refused("/textDocument", 1, "textDocument.uri");
  refused("/textDocument/uri", nullptr, "textDocument.uri");
  refused("/position", "0:0", "position.line");
  refused("/position/line", -1, "position.line");
  refused("/position/character", 1.5, "position.character");
  refused("/position/character", 18446744073709551615ULL, "position.character");
  refused("/context/triggerKind", 3, "context.triggerKind");
  refused("/context/selectedCompletionInfo", Json{{"text", "x"}}, "selectedCompletionInfo.range");
  EXPECT_TRUE(backend->requests().empty());
}

TEST_F(Completion, ShutdownAnswersWhatIsOpen) {
  const int id = client.request_inline(kUri, 1, 6);
  EXPECT_EQ(client.ask("shutdown", nullptr).at("result"), nullptr);
  EXPECT_EQ(client.answer(id).at("result"), nullptr);
  EXPECT_TRUE(backend->was_cancelled(0));
}

TEST_F(Completion, EditsThatCannotBeFollowedOfferNothingUntilTheWholeTextComes) {
  client.insert(kUri, 1, 0, 0, "#");  // not a newer version
  const Json offered = client.wait_for(client.request_inline(kUri, 1, 6)).at("result");
  EXPECT_EQ(offered, (Json{{"items", Json::array()}}));
  EXPECT_EQ(client.notifications("window/logMessage").size(), 1U);
  client.notify("textDocument/didChange", {{"textDocument", {{"uri", kUri}, {"version", 3}}},
                                           {"contentChanges", Json::array({{{"text", "whole"}}})}});
  client.request_inline(kUri, 0, 5);
  ASSERT_EQ(backend->requests().size(), 1U);
  EXPECT_EQ(*backend->requests()[0].document.text, "whole");
}

Json explained(LspClient& client, const Json& params) { return client.ask("weft/explain", params).at("result"); }

TEST_F(Completion, ExplainSaysWhatBecameOfEachCandidate) {
  const int id = client.request_inline(kUri, 1, 6);
  generation::CompletionResult result;
  result.items.push_back({.text = "o(x)", .replace_begin = 12, .replace_end = 12, .score = -0.5});
  result.model = "fake";
  result.timings.prefill_ms = 7;
  result.timings.prompt_tokens = 20;
  generation::CandidateTrace good{.generated = "o(x) 1", .offered = "o(x)"};
  good.steps.push_back({"syntax", 2});
  good.score = -0.5;
  good.parts.mean_logprob = -0.4;
  good.parts.repetition = 0.2;
  good.source = {12, "numpy", "2.1", "BSD-3-Clause", "numpy/core.py"};
  result.candidates = {good, {.generated = ")", .offered = "", .reason = "unbalanced brackets"}};
  backend->answer(0, result);
  client.wait_for(id);
  const Json why = explained(client, {{"textDocument", {{"uri", kUri}}}, {"position", at(1, 6)}});
  EXPECT_EQ(why.at("outcome"), "offered");
  EXPECT_EQ(why.at("kind"), "inline");
  EXPECT_EQ(why.at("trigger"), "automatic");
  EXPECT_EQ(why.at("version"), 1);
  EXPECT_EQ(why.at("position"), at(1, 6));
  EXPECT_EQ(why.at("stagesMs").at("prefill"), 7.0);
  EXPECT_EQ(why.at("tokens").at("prompt"), 20);
  ASSERT_EQ(why.at("candidates").size(), 2U);
  const Json& first = why.at("candidates").at(0);
  EXPECT_EQ(first.at("generated"), "o(x) 1");
  EXPECT_EQ(first.at("filters"), (Json::array({{{"filter", "syntax"}, {"removedBytes", 2}}})));
  EXPECT_EQ(first.at("score"), -0.5);
  EXPECT_EQ(first.at("source"), (Json{{"tokens", 12},
                                      {"package", "numpy"},
                                      {"version", "2.1"},
                                      {"licence", "BSD-3-Clause"},
                                      {"file", "numpy/core.py"}}));
  EXPECT_FALSE(why.at("candidates").at(1).contains("source"));
  EXPECT_EQ(first.at("parts").at("meanLogprob"), -0.4);
  EXPECT_EQ(first.at("parts").at("repetition"), 0.2);
  EXPECT_EQ(why.at("candidates").at(1).at("reason"), "unbalanced brackets");
}

TEST_F(Completion, ExplainSaysWhyNothingWasShown) {
  const Json document = {{"uri", kUri}};
  const auto outcome = [&](const Json& position) {
    return explained(client, {{"textDocument", document}, {"position", position}}).at("outcome");
  };
  EXPECT_EQ(explained(client, {{"textDocument", document}}), nullptr);
  const int empty = client.request_inline(kUri, 0, 1);
  EXPECT_EQ(outcome(at(0, 1)), "waiting");
  generation::CompletionResult nothing;
  nothing.reason = "unsure";
  backend->answer(0, nothing);
  client.wait_for(empty);
  EXPECT_EQ(outcome(at(0, 1)), "nothing");
  EXPECT_EQ(explained(client, {{"textDocument", document}}).at("reason"), "unsure");

  client.request_inline(kUri, 0, 2);
  client.request_inline(kUri, 0, 3);
  EXPECT_EQ(outcome(at(0, 2)), "superseded");
  client.insert(kUri, 2, 1, 6, "o");
  EXPECT_EQ(outcome(at(0, 3)), "the document changed");
  backend->answer(2, "late");
  client.loop().run_posted();
  EXPECT_EQ(outcome(at(0, 3)), "the document changed");
  const int cancelled = client.request_inline(kUri, 0, 4);
  client.notify("$/cancelRequest", {{"id", cancelled}});
  EXPECT_EQ(outcome(at(0, 4)), "cancelled");
  client.request_inline(kUri, 1, 0);
  client.loop().advance(std::chrono::milliseconds(5000));
  EXPECT_EQ(outcome(at(1, 0)), "timed out");
  const int broken = client.request_inline(kUri, 1, 1);
  backend->answer(5, make_error("the device is gone"));
  client.wait_for(broken);
  const Json why = explained(client, {{"textDocument", document}});
  EXPECT_EQ(why.at("outcome"), "failed");
  EXPECT_EQ(why.at("error"), "the device is gone");
}

TEST_F(Completion, ExplainReadsItsParams) {
  EXPECT_EQ(client.ask("weft/explain", Json::object()).at("error").at("code"), kInvalidParams);
  const Json wrong = {{"textDocument", {{"uri", kUri}}}, {"position", 1}};
  EXPECT_EQ(client.ask("weft/explain", wrong).at("error").at("code"), kInvalidParams);
  EXPECT_EQ(explained(client, {{"textDocument", {{"uri", "file:///no.py"}}}}), nullptr);
}

TEST(CompletionContext, TheRequestHasTheOtherOpenDocumentsTheLastEditedFirst) {
  const auto backend = std::make_shared<FakeBackend>();
  LspClient client(loader_of(backend));
  client.ask("initialize", {{"processId", nullptr},
                            {"rootUri", "file:///ignored"},
                            {"workspaceFolders", Json::array({{{"uri", "file:///code"}, {"name", "code"}}})},
                            {"capabilities", Json::object()}});
  client.notify("initialized", Json::object());
  client.wait_for_model();
  client.open("file:///code/a.py", "a = 1\n");
  client.open("file:///code/b.py", "b = 1\n");
  client.open("file:///code/c.py", "c = 1\n");
  client.insert("file:///code/c.py", 2, 0, 5, "2");
  client.request_inline("file:///code/a.py", 0, 5);
  const auto& request = backend->requests().at(0);
  EXPECT_EQ(request.root, "/code");
  ASSERT_EQ(request.others.size(), 2U);
  EXPECT_EQ(request.others[0].path, "/code/c.py");
  EXPECT_EQ(*request.others[0].text, "c = 12\n");
  EXPECT_EQ(request.others[0].edited_at, 6U);
  EXPECT_EQ(request.others[1].path, "/code/b.py");
  EXPECT_EQ(request.others[1].last_edit, 0U);
}

}  // namespace
}  // namespace weft::test
