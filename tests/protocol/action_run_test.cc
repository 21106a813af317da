// Sessions about a code action that was chosen: the edit that comes of it, and what keeps it from coming: changes,
// cancelling, a model that cannot.
#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/gate.h"
#include "tests/support/lsp/action_session.h"

namespace weft::test {
namespace {

using adapters::FunctionRequestPlace;
using adapters::GeneratedFunction;
using adapters::TextEdit;

const GeneratedFunction kBroken{"def add(a, b:", -0.1, false};
const GeneratedFunction kAdd{"def add(a, b):\n    return a + b", -0.2, true};

class CodeActionRun : public ActionSession {
 protected:
  // The only action at the place, chosen; the model has been asked.
  int choose(int line = 2, int character = 0) {
    action_ = list(kUri, line, character).at(0);
    const int id = client.request("codeAction/resolve", action_);
    EXPECT_TRUE(wait_for_calls(1));
    return id;
  }
  const FunctionRequestPlace& place() { return std::get<FunctionRequestPlace>(actions_->calls().at(0).about); }
  // What the editor has once it has applied the only edit of the WorkspaceEdit.
  static std::string applied(const std::string& text, const Json& edit) {
    const Json& change = edit.at("documentChanges").at(0).at("edits").at(0);
    const auto position = [&](const char* end) {
      const Json& at = change.at("range").at(end);
      return lsp::offset_of(text, {at.at("line"), at.at("character")}, lsp::PositionEncoding::kUtf16);
    };
    return text.substr(0, position("start")) + change.at("newText").get<std::string>() + text.substr(position("end"));
  }
  Json answer_of(int id) { return client.wait_for(id); }

  Json action_;
};

TEST_F(CodeActionRun, TheEditIsTheBestFunctionThatParses) {
  begin();
  client.open(kUri, kComment);
  const int id = choose();
  EXPECT_EQ(*actions_->calls()[0].document.text, kComment);
  EXPECT_EQ(actions_->calls()[0].document.path, "/code/a.py");
  actions_->answer_functions(0, std::vector{kBroken, kAdd});
  const Json resolved = answer_of(id).at("result");
  const Json& edit = resolved.at("edit");
  EXPECT_EQ(edit.at("documentChanges").at(0).at("textDocument"), (Json{{"uri", kUri}, {"version", 1}}));
  std::string expected = kComment;
  expected.replace(place().replaced.begin, place().replaced.end - place().replaced.begin, kAdd.code);
  EXPECT_EQ(applied(kComment, edit), expected);
  Json rest = resolved;
  rest.erase("edit");
  EXPECT_EQ(rest, action_) << "all that the client sent comes back";
}

TEST_F(CodeActionRun, ClientsWithoutVersionsGetPlainChanges) {
  Json capabilities = all_capabilities();
  capabilities["workspace"].erase("workspaceEdit");
  begin(capabilities);
  client.open(kUri, kComment);
  const int id = choose();
  actions_->answer_functions(0, std::vector{kAdd});
  const Json edit = answer_of(id).at("result").at("edit");
  EXPECT_FALSE(edit.contains("documentChanges"));
  EXPECT_EQ(edit.at("changes").at(kUri).at(0).at("newText"), kAdd.code);
}

TEST_F(CodeActionRun, EditsKeepTheDocumentsLineEnds) {
  begin();
  client.open(kUri, "import math\r\n# Adds two numbers.\r\n");
  const int id = choose();
  actions_->answer_functions(0, std::vector{kAdd});
  const Json edit = answer_of(id).at("result").at("edit").at("documentChanges").at(0).at("edits").at(0);
  EXPECT_EQ(edit.at("newText"), "def add(a, b):\r\n    return a + b");
}

TEST_F(CodeActionRun, PositionsOfTheEditAreInTheNegotiatedEncoding) {
  begin();
  const std::string text = "x = '𝕏𝕏'\n# 计算两个数之和 𝕏\n";
  client.open(kUri, text);
  const int id = choose(1, 12);
  actions_->answer_functions(0, std::vector{kAdd});
  std::string expected = text;
  expected.replace(place().replaced.begin, place().replaced.end - place().replaced.begin, kAdd.code);
  EXPECT_EQ(applied(text, answer_of(id).at("result").at("edit")), expected);
}

TEST_F(CodeActionRun, ARefactoringReplacesItsStatements) {
  begin();
  actions_->install("refactor");
  client.open(kUri, kLoop);
  const int id = choose(kLoopLine, 4);
  const auto& place = std::get<adapters::RefactorPlace>(actions_->calls()[0].about);
  actions_->answer_refactor(0, TextEdit{place.range, "    out = [x * x for x in xs]"});
  std::string expected = kLoop;
  expected.replace(place.range.begin, place.range.end - place.range.begin, "    out = [x * x for x in xs]");
  EXPECT_EQ(applied(kLoop, answer_of(id).at("result").at("edit")), expected);
}

TEST_F(CodeActionRun, NothingThatParsesIsAFailureWithTheReason) {
  begin();
  client.open(kUri, kComment);
  const int id = choose();
  actions_->answer_functions(0, std::vector{kBroken});
  const Json answer = answer_of(id);
  EXPECT_EQ(code_of(answer), kRequestFailed);
  EXPECT_EQ(answer.at("error").at("message"), "the model wrote no function that parses here");
}

TEST_F(CodeActionRun, TheModelsFailureIsTold) {
  begin();
  client.open(kUri, kComment);
  const int id = choose();
  actions_->answer_functions(0, make_error("the device is gone"));
  const Json answer = answer_of(id);
  EXPECT_EQ(code_of(answer), kRequestFailed);
  EXPECT_EQ(answer.at("error").at("message"), "the device is gone");
}

TEST_F(CodeActionRun, AnOlderVersionIsRefused) {
  begin();
  client.open(kUri, kComment);
  const Json action = list(kUri, 2, 0).at(0);
  client.insert(kUri, 2, 0, 0, "import os\n");
  const Json answer = client.ask("codeAction/resolve", action);
  EXPECT_EQ(code_of(answer), kContentModified);
  EXPECT_NE(answer.at("error").at("message").get<std::string>().find("changed"), std::string::npos);
  EXPECT_TRUE(actions_->calls().empty());
}

TEST_F(CodeActionRun, AnotherTextOfTheSameVersionIsRefused) {
  begin();
  client.open(kUri, kComment);
  const Json action = list(kUri, 2, 0).at(0);
  client.notify("textDocument/didClose", {{"textDocument", {{"uri", kUri}}}});
  EXPECT_EQ(code_of(client.ask("codeAction/resolve", action)), kContentModified);
  client.open(kUri, "import math\n# Divides two numbers.\n");
  EXPECT_EQ(code_of(client.ask("codeAction/resolve", action)), kContentModified);
}

TEST_F(CodeActionRun, AChangeMeanwhileStopsTheModel) {
  begin();
  client.open(kUri, kComment);
  const int id = choose();
  client.insert(kUri, 2, 0, 0, " ");
  EXPECT_EQ(code_of(client.answer(id)), kContentModified);
  EXPECT_TRUE(actions_->was_cancelled(0));
  actions_->answer_functions(0, std::vector{kAdd});
  client.loop().run_posted();
  EXPECT_EQ(client.answers_to(id), 1U);
}

TEST_F(CodeActionRun, AChangeBeforeThePlaceIsFoundIsNoticedToo) {
  begin();
  client.open(kUri, kComment);
  const int id = client.request("codeAction/resolve", list(kUri, 2, 0).at(0));
  client.insert(kUri, 2, 0, 0, " ");
  EXPECT_EQ(code_of(client.answer(id)), kContentModified);
  EXPECT_EQ(list(kUri, 2, 0).size(), 1U);  // the worker has gone past the other
  EXPECT_TRUE(actions_->calls().empty());
  EXPECT_EQ(client.answers_to(id), 1U);
}

TEST_F(CodeActionRun, ClosingTheDocumentStopsTheModel) {
  begin();
  client.open(kUri, kComment);
  const int id = choose();
  client.notify("textDocument/didClose", {{"textDocument", {{"uri", kUri}}}});
  EXPECT_EQ(code_of(client.answer(id)), kContentModified);
  EXPECT_TRUE(actions_->was_cancelled(0));
}

TEST_F(CodeActionRun, CancellingStopsTheModel) {
  begin();
  client.open(kUri, kComment);
  const int id = choose();
  client.notify("$/cancelRequest", {{"id", id}});
  EXPECT_EQ(code_of(client.answer(id)), kRequestCancelled);
  EXPECT_TRUE(actions_->was_cancelled(0));
  actions_->answer_functions(0, make_error("cancelled"));
  client.loop().run_posted();
  EXPECT_EQ(client.answers_to(id), 1U);
}

TEST_F(CodeActionRun, ProgressIsShownAndCanBeCancelledThere) {
  begin();
  client.open(kUri, kComment);
  const int id = choose();
  ASSERT_EQ(client.server_requests().size(), 1U);
  const Json& asked = client.server_requests()[0];
  EXPECT_EQ(asked.at("method"), "window/workDoneProgress/create");
  client.send_body(lsp::encode_result(asked.at("id"), nullptr));
  const Json begun = client.notifications("$/progress").at(0).at("params");
  EXPECT_EQ(begun.at("token"), asked.at("params").at("token"));
  EXPECT_EQ(begun.at("value"), (Json{{"kind", "begin"}, {"title", "weft: writing a function"}, {"cancellable", true}}));
  client.notify("window/workDoneProgress/cancel", {{"token", "another"}});
  EXPECT_EQ(client.answers_to(id), 0U);
  client.notify("window/workDoneProgress/cancel", {{"token", begun.at("token")}});
  EXPECT_EQ(code_of(client.answer(id)), kRequestCancelled);
  EXPECT_TRUE(actions_->was_cancelled(0));
  EXPECT_EQ(client.notifications("$/progress").at(1).at("params").at("value").at("kind"), "end");
}

TEST_F(CodeActionRun, TheClientsOwnTokenIsUsedAtOnce) {
  begin();
  client.open(kUri, kComment);
  Json action = list(kUri, 2, 0).at(0);
  action["workDoneToken"] = "mine";
  const int id = client.request("codeAction/resolve", action);
  ASSERT_TRUE(wait_for_calls(1));
  EXPECT_TRUE(client.server_requests().empty());
  actions_->answer_functions(0, std::vector{kAdd});
  EXPECT_FALSE(answer_of(id).at("result").contains("workDoneToken"));
  const auto shown = client.notifications("$/progress");
  ASSERT_EQ(shown.size(), 2U);
  for (const Json& message : shown) EXPECT_EQ(message.at("params").at("token"), "mine");
  EXPECT_EQ(shown[1].at("params").at("value").at("kind"), "end");
}

TEST_F(CodeActionRun, WithoutProgressNothingIsShown) {
  Json capabilities = all_capabilities();
  capabilities.erase("window");
  begin(capabilities);
  client.open(kUri, kComment);
  const int id = choose();
  actions_->answer_functions(0, std::vector{kAdd});
  EXPECT_TRUE(answer_of(id).contains("result"));
  EXPECT_TRUE(client.server_requests().empty());
  EXPECT_TRUE(client.notifications("$/progress").empty());
}

TEST_F(CodeActionRun, TwoAtOnceAreAnsweredEach) {
  begin();
  client.open(kUri, kComment);
  const int first = choose();
  const int second = client.request("codeAction/resolve", action_);
  ASSERT_TRUE(wait_for_calls(2));
  client.notify("$/cancelRequest", {{"id", first}});
  actions_->answer_functions(1, std::vector{kAdd});
  EXPECT_TRUE(answer_of(second).at("result").contains("edit"));
  EXPECT_FALSE(actions_->was_cancelled(1));
}

TEST_F(CodeActionRun, ThereIsALimitToHowManyAreAtWork) {
  begin();
  client.open(kUri, kComment);
  const Json action = list(kUri, 2, 0).at(0);
  for (std::size_t i = 0; i < lsp::ActionRuns::kMostOpenRequests; ++i) client.request("codeAction/resolve", action);
  EXPECT_EQ(code_of(client.ask("codeAction/resolve", action)), kRequestFailed);
  ASSERT_TRUE(wait_for_calls(lsp::ActionRuns::kMostOpenRequests));
  actions_->answer_functions(0, std::vector{kAdd});
  client.loop().run_posted();
  client.request("codeAction/resolve", action);
  EXPECT_TRUE(wait_for_calls(lsp::ActionRuns::kMostOpenRequests + 1));
}

TEST_F(CodeActionRun, BrokenDataIsRefused) {
  begin();
  client.open(kUri, kComment);
  const Json good = list(kUri, 2, 0).at(0);
  const auto refused = [&](const char* path, const Json& value) {
    Json action = good;
    action[Json::json_pointer(path)] = value;
    const Json answer = client.ask("codeAction/resolve", action);
    EXPECT_EQ(code_of(answer), kInvalidParams) << action;
    return answer.contains("error") ? answer.at("error").at("message").get<std::string>() : "";
  };
  EXPECT_EQ(refused("/data", nullptr), "data.action must be a string and is missing");
  EXPECT_EQ(refused("/data/action", "explain"), "data.action must be 'generate-function' or 'refactor'");
  EXPECT_EQ(refused("/data/version", "1"), "data.version must be an integer");
  EXPECT_EQ(refused("/data/position/line", -3), "data.position.line must be between 0 and 2147483647");
  EXPECT_EQ(refused("/data/action", "refactor"), "data.refactoring must be a string and is missing");
  EXPECT_EQ(refused("/data/position/line", 0), "/code/a.py: nothing to do at 1:1");
  EXPECT_EQ(code_of(client.ask("codeAction/resolve", nullptr)), kInvalidParams);
  EXPECT_EQ(code_of(client.ask("codeAction/resolve", Json::array())), kInvalidParams);
  EXPECT_TRUE(actions_->calls().empty());
}

TEST_F(CodeActionRun, ACommandSendsTheEditAndWaitsUntilItIsTaken) {
  Json capabilities = all_capabilities();
  capabilities["textDocument"]["codeAction"].erase("resolveSupport");
  capabilities.erase("window");
  begin(capabilities);
  client.open(kUri, kComment);
  Json command = list(kUri, 2, 0).at(0).at("command");
  command.erase("title");
  const auto run = [&](std::size_t call, const Json& taken) {
    const int id = client.request("workspace/executeCommand", command);
    EXPECT_TRUE(wait_for_calls(call + 1));
    actions_->answer_functions(call, std::vector{kAdd});
    EXPECT_TRUE(client.loop().run_until([&] { return client.server_requests().size() > call; }));
    const Json asked = client.server_requests().back();
    EXPECT_EQ(asked.at("method"), "workspace/applyEdit");
    EXPECT_EQ(applied(kComment, asked.at("params").at("edit")).find(kAdd.code) != std::string::npos, true);
    EXPECT_EQ(client.answers_to(id), 0U);
    client.send_body(lsp::encode_result(asked.at("id"), taken));
    return client.answer(id);
  };
  EXPECT_EQ(run(0, {{"applied", true}}).at("result"), nullptr);
  EXPECT_EQ(code_of(run(1, {{"applied", false}, {"failureReason", "read-only"}})), kRequestFailed);
  EXPECT_EQ(code_of(run(2, nullptr)), kRequestFailed);
}

TEST_F(CodeActionRun, OtherCommandsAreRefused) {
  begin();
  client.open(kUri, kComment);
  const Json data = list(kUri, 2, 0).at(0).at("data");
  const auto code = [&](const Json& params) { return code_of(client.ask("workspace/executeCommand", params)); };
  EXPECT_EQ(code({{"command", "rm"}, {"arguments", {data}}}), kInvalidParams);
  EXPECT_EQ(code({{"command", "weft.applyAction"}}), kInvalidParams);
  EXPECT_EQ(code({{"command", "weft.applyAction"}, {"arguments", {data, data}}}), kInvalidParams);
  EXPECT_EQ(code({{"command", "weft.applyAction"}, {"arguments", "all"}}), kInvalidParams);
  EXPECT_EQ(code(nullptr), kInvalidParams);
}

TEST_F(CodeActionRun, ShutdownAnswersAndStopsTheModel) {
  begin();
  client.open(kUri, kComment);
  const int id = choose();
  client.ask("shutdown", nullptr);
  EXPECT_EQ(code_of(client.answer(id)), kRequestCancelled);
  EXPECT_TRUE(actions_->was_cancelled(0));
}

// What a client may do before the model is there.
class EarlyRun : public ActionSession {
 protected:
  EarlyRun() { gate_->close(); }
  ~EarlyRun() override { gate_->open(); }

  lsp::ModelLoader gated(lsp::ModelLoader loader) {
    return [gate = gate_, loader = std::move(loader)](const auto& progress) {
      gate->pass();
      return loader(progress);
    };
  }
  static int choose(LspClient& early) {
    early.open_session(all_capabilities());
    early.open(kUri, kComment);
    const Json listed = early.ask("textDocument/codeAction", list_params(kUri, 2, 0)).at("result");
    return early.request("codeAction/resolve", listed.at(0));
  }

  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
};

TEST_F(EarlyRun, WaitsForTheModel) {
  LspClient early(gated(loader_of(std::make_shared<FakeBackend>(), actions_)));
  const int id = choose(early);
  early.ask("textDocument/codeAction", list_params(kUri, 2, 0));  // the place has been found
  EXPECT_EQ(early.answers_to(id), 0U);
  gate_->open();
  ASSERT_TRUE(early.loop().run_until([&] { return !actions_->calls().empty(); }));
  actions_->answer_functions(0, std::vector{kAdd});
  EXPECT_TRUE(early.wait_for(id).at("result").contains("edit"));
}

TEST_F(EarlyRun, FailsWithTheModel) {
  LspClient early(gated([](const auto&) -> Expected<lsp::ReadyModel> { return make_error("no such file"); }));
  const int id = choose(early);
  gate_->open();
  const Json answer = early.wait_for(id);
  EXPECT_EQ(code_of(answer), kRequestFailed);
  EXPECT_EQ(answer.at("error").at("message"), "weft has no model: no such file");
}

}  // namespace
}  // namespace weft::test
