// Sessions about the list of code actions: what is offered where, to which client, and that no model is asked for it.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/gate.h"
#include "tests/support/lsp/action_session.h"
#include "tests/support/lsp/fake_actions.h"
#include "tests/support/lsp/fake_backend.h"
#include "tests/support/lsp/lsp_client.h"

namespace weft::test {
namespace {

using CodeActionList = ActionSession;

TEST_F(CodeActionList, InitializeTellsWhatIsOffered) {
  const Json capabilities = begin().at("result").at("capabilities");
  EXPECT_EQ(capabilities.at("codeActionProvider"),
            (Json{{"codeActionKinds", {"quickfix", "refactor.rewrite"}}, {"resolveProvider", true}}));
  EXPECT_EQ(capabilities.at("executeCommandProvider"), (Json{{"commands", {"weft.applyAction"}}}));
}

TEST_F(CodeActionList, OffersToWriteTheFunctionThatACommentDescribes) {
  begin();
  client.open(kUri, kComment);
  const Json actions = list(kUri, 2, 0);
  ASSERT_EQ(actions.size(), 1U) << actions;
  EXPECT_TRUE(actions[0].at("title").get<std::string>().starts_with("Generate function")) << actions;
  EXPECT_EQ(actions[0].at("kind"), "refactor.rewrite");
  EXPECT_EQ(actions[0].at("tags"), (Json{1}));
  EXPECT_FALSE(actions[0].contains("edit"));
  EXPECT_FALSE(actions[0].contains("command"));
  const Json& data = actions[0].at("data");
  EXPECT_EQ(data.at("action"), "generate-function");
  EXPECT_EQ(data.at("uri"), kUri);
  EXPECT_EQ(data.at("version"), 1);
  EXPECT_LT(data.dump().size(), 250U);
  EXPECT_TRUE(actions_->calls().empty()) << "the model is asked when the action is chosen";
}

TEST_F(CodeActionList, OffersNothingElsewhere) {
  begin();
  client.open(kUri, kComment);
  EXPECT_EQ(list(kUri, 0, 3), Json::array());
  client.notify(
      "textDocument/didOpen",
      {{"textDocument",
        {{"uri", "file:///code/notes.txt"}, {"languageId", "plaintext"}, {"version", 1}, {"text", kComment}}}});
  EXPECT_EQ(list("file:///code/notes.txt", 2, 0), Json::array()) << "no grammar";
  client.open("file:///code/.ssh/config.py", kComment);
  EXPECT_EQ(list("file:///code/.ssh/config.py", 2, 0), Json::array()) << "a secret file";
  client.open("file:///code/large.py", std::string(kComment) + std::string(3 << 20, '\n'));
  EXPECT_EQ(list("file:///code/large.py", 2, 0), Json::array()) << "too large to parse";
}

TEST_F(CodeActionList, TagsAndDataAreForClientsThatKnowThem) {
  Json capabilities = all_capabilities();
  capabilities["textDocument"]["codeAction"].erase("tagSupport");
  begin(capabilities);
  client.open(kUri, kComment);
  EXPECT_FALSE(list(kUri, 2, 0).at(0).contains("tags"));
}

TEST_F(CodeActionList, ACommandStandsInWhereTheClientCannotResolve) {
  Json capabilities = all_capabilities();
  capabilities["textDocument"]["codeAction"].erase("resolveSupport");
  begin(capabilities);
  client.open(kUri, kComment);
  const Json action = list(kUri, 2, 0).at(0);
  EXPECT_FALSE(action.contains("data"));
  EXPECT_EQ(action.at("command").at("command"), "weft.applyAction");
  EXPECT_EQ(action.at("command").at("arguments").at(0).at("uri"), kUri);
}

TEST_F(CodeActionList, OldClientsGetTheCommandItself) {
  begin({{"workspace", {{"applyEdit", true}}}});
  client.open(kUri, kComment);
  EXPECT_EQ(list(kUri, 2, 0).at(0).at("command"), "weft.applyAction");
}

TEST_F(CodeActionList, WhoCanNeitherResolveNorApplyIsOfferedNothing) {
  begin(Json::object());
  client.open(kUri, kComment);
  EXPECT_EQ(list(kUri, 2, 0), Json::array());
}

TEST_F(CodeActionList, OnlyTheKindsThatAreAskedFor) {
  begin();
  client.open(kUri, kComment);
  const auto offered = [&](const Json& only) {
    return list(kUri, 2, 0, {{"diagnostics", Json::array()}, {"only", only}});
  };
  for (const char* kind : {"refactor", "refactor.rewrite", ""}) EXPECT_EQ(offered({kind}).size(), 1U) << kind;
  EXPECT_EQ(offered({"quickfix", "refactor"}).size(), 1U);
  for (const char* kind : {"quickfix", "source", "source.organizeImports", "refactor.rewrite.more", "refac"}) {
    EXPECT_EQ(offered({kind}), Json::array()) << kind;
  }
  EXPECT_EQ(offered(Json::array()), Json::array());
}

TEST_F(CodeActionList, RefactoringsNeedAnAdapter) {
  begin();
  client.open(kUri, kLoop);
  EXPECT_EQ(list(kUri, kLoopLine, 4), Json::array());
  actions_->install("refactor");
  const Json actions = list(kUri, kLoopLine, 4);
  ASSERT_EQ(actions.size(), 1U) << actions;
  EXPECT_TRUE(actions[0].at("title").get<std::string>().starts_with("Refactor: ")) << actions;
  EXPECT_EQ(actions[0].at("kind"), "refactor.rewrite");
  EXPECT_FALSE(actions[0].at("data").at("refactoring").get<std::string>().empty());
  actions_->remove("refactor");
  EXPECT_EQ(list(kUri, kLoopLine, 4), Json::array());
}

TEST_F(CodeActionList, PositionsAreInTheNegotiatedEncoding) {
  begin();
  // The line is 13 UTF-16 units long, and 27 bytes: in bytes the cursor would stand before its end.
  const std::string text = "x = 1\n# 计算两个数之和 𝕏\n";
  client.open(kUri, text);
  const Json actions = list(kUri, 1, 12);
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0].at("data").at("position"), (Json{{"line", 1}, {"character", 12}}));
  const int id = client.request("codeAction/resolve", actions[0]);
  ASSERT_TRUE(wait_for_calls(1));
  const auto& place = std::get<adapters::FunctionRequestPlace>(actions_->calls()[0].about);
  EXPECT_EQ(place.description, "计算两个数之和 𝕏");
  client.notify("$/cancelRequest", {{"id", id}});
}

TEST_F(CodeActionList, WhileTheModelLoadsFunctionsAreOffered) {
  auto gate = std::make_shared<Gate>();
  gate->close();
  LspClient early([gate](const auto&) -> Expected<lsp::ReadyModel> {
    gate->pass();
    return make_error("no model");
  });
  early.open_session(all_capabilities());
  early.open(kUri, kComment);
  EXPECT_EQ(early.ask("textDocument/codeAction", list_params(kUri, 2, 0)).at("result").size(), 1U);
  gate->open();
  early.wait_for_model();
  EXPECT_EQ(early.ask("textDocument/codeAction", list_params(kUri, 2, 0)).at("result"), Json::array());
}

TEST_F(CodeActionList, AModelForCompletionsAloneOffersNothing) {
  LspClient alone(loader_of(std::make_shared<FakeBackend>()));
  alone.open_session(all_capabilities());
  alone.wait_for_model();
  alone.open(kUri, kComment);
  EXPECT_EQ(alone.ask("textDocument/codeAction", list_params(kUri, 2, 0)).at("result"), Json::array());
}

TEST_F(CodeActionList, BrokenParamsAreRefused) {
  begin();
  client.open(kUri, kComment);
  const Json good = list_params(kUri, 2, 0);
  const auto refused = [&](const char* path, const Json& value) {
    Json params = good;
    params[Json::json_pointer(path)] = value;
    const Json answer = client.ask("textDocument/codeAction", params);
    EXPECT_EQ(code_of(answer), kInvalidParams) << params;
    return answer.contains("error") ? answer.at("error").at("message").get<std::string>() : "";
  };
  EXPECT_EQ(refused("/range", nullptr), "params.range.start.line must be an integer and is missing");
  EXPECT_EQ(refused("/range/end/line", -1), "params.range.end.line must be between 0 and 2147483647");
  EXPECT_EQ(refused("/textDocument/uri", 7), "params.textDocument.uri must be a string");
  EXPECT_EQ(refused("/textDocument/uri", "file:///other.py"), "file:///other.py is not open");
  EXPECT_EQ(refused("/context/only", "quickfix"), "params.context.only must be an array of strings");
  EXPECT_EQ(refused("/context/only", {1}), "params.context.only must be an array of strings");
  EXPECT_EQ(refused("/context/triggerKind", 3), "params.context.triggerKind must be 1 or 2");
  EXPECT_EQ(refused("/context/diagnostics", {{"a", 1}}), "params.context.diagnostics must be an array");
}

TEST_F(CodeActionList, CancellingAnswersAtOnce) {
  begin();
  client.open(kUri, kComment);
  const int id = client.request("textDocument/codeAction", list_params(kUri, 2, 0));
  client.notify("$/cancelRequest", {{"id", id}});
  EXPECT_EQ(code_of(client.answer(id)), kRequestCancelled);
  EXPECT_EQ(list(kUri, 2, 0).size(), 1U);
  EXPECT_EQ(client.answers_to(id), 1U);
}

TEST_F(CodeActionList, ANewerRequestTakesThePlaceOfAnAutomaticOne) {
  begin();
  client.open(kUri, kComment);
  const Json automatic = {{"diagnostics", Json::array()}, {"triggerKind", 2}};
  const int first = client.request("textDocument/codeAction", list_params(kUri, 2, 0, automatic));
  const int second = client.request("textDocument/codeAction", list_params(kUri, 2, 0));
  const int third = client.request("textDocument/codeAction", list_params(kUri, 2, 0, automatic));
  EXPECT_EQ(client.answer(first).at("result"), Json::array());
  EXPECT_EQ(client.wait_for(third).at("result").size(), 1U);
  EXPECT_EQ(client.wait_for(second).at("result").size(), 1U) << "one that was asked for by hand stays";
}

TEST_F(CodeActionList, EachOfManyIsAnswered) {
  begin();
  client.open(kUri, kComment);
  std::vector<int> ids;
  for (std::size_t i = 0; i < 2 * lsp::ActionLists::kMostOpenRequests; ++i) {
    ids.push_back(client.request("textDocument/codeAction", list_params(kUri, 2, 0)));
  }
  EXPECT_EQ(code_of(client.wait_for(ids.back())), kRequestFailed) << "there is a limit to how many wait";
  for (const int id : ids) {
    const Json answer = client.wait_for(id);
    EXPECT_TRUE(code_of(answer) == kRequestFailed || answer.at("result").size() == 1U) << answer;
  }
}

TEST_F(CodeActionList, ShutdownAnswersWhatIsOpen) {
  begin();
  client.open(kUri, kComment);
  const int id = client.request("textDocument/codeAction", list_params(kUri, 2, 0));
  client.ask("shutdown", nullptr);
  EXPECT_EQ(client.answer(id).at("result"), Json::array());
  client.loop().run_posted();
  EXPECT_EQ(client.answers_to(id), 1U);
}

}  // namespace
}  // namespace weft::test
