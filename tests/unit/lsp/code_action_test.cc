// Actions and edits in the client's terms.
#include "lsp/code_action.h"

#include <string>

#include <gtest/gtest.h>

#include "lsp/workspace_edit.h"

namespace weft::lsp {
namespace {

Document document(const std::string& text) {
  return {"file:///a.py", "/a.py", "python", 3, std::make_shared<const std::string>(text), {}};
}

TEST(WantsKind, KindsAreAHierarchy) {
  const auto wants = [](std::vector<std::string> only, std::string_view kind) {
    CodeActionParams params;
    params.only = std::move(only);
    return wants_kind(params, kind);
  };
  EXPECT_TRUE(wants_kind({}, "quickfix"));
  EXPECT_TRUE(wants({""}, "quickfix"));
  EXPECT_TRUE(wants({"refactor"}, "refactor.rewrite"));
  EXPECT_TRUE(wants({"source", "refactor.rewrite"}, "refactor.rewrite"));
  EXPECT_FALSE(wants({"refactor.rewrite.x"}, "refactor.rewrite"));
  EXPECT_FALSE(wants({"refactor.re"}, "refactor.rewrite"));
  EXPECT_FALSE(wants({}, "refactor.rewrite"));
}

TEST(ActionDataJson, ComesBackAsItWent) {
  const ActionData data{ActionKind::kRefactor, "file:///ä b.py", -7, "00ff", {3, 9}, "list-comprehension"};
  const auto read = read_action_data(Json::parse(to_json(data).dump()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->kind, data.kind);
  EXPECT_EQ(read->uri, data.uri);
  EXPECT_EQ(read->version, data.version);
  EXPECT_EQ(read->text_hash, data.text_hash);
  EXPECT_EQ(read->position, data.position);
  EXPECT_EQ(read->refactoring, data.refactoring);
}

TEST(ActionJson, IsWhatTheClientUnderstands) {
  const OfferedAction action{"Generate function", {ActionKind::kGenerateFunction, "file:///a.py", 3, "0f", {1, 0}, ""}};
  ClientCapabilities client;
  EXPECT_TRUE(to_json(action, client).is_null());
  client.applies_edits = true;
  EXPECT_EQ(to_json(action, client).at("command"), kApplyCommand);
  client.code_action.literals = true;
  EXPECT_EQ(to_json(action, client).at("command").at("command"), kApplyCommand);
  client.code_action.resolves_edits = true;
  EXPECT_EQ(to_json(action, client).at("data"), to_json(action.data));
  EXPECT_FALSE(to_json(action, client).contains("command"));
  client.applies_edits = false;
  EXPECT_EQ(to_json(action, client).at("data"), to_json(action.data));
  EXPECT_FALSE(to_json(action, client).contains("tags"));
  client.code_action.generated_tag = true;
  EXPECT_EQ(to_json(action, client).at("tags"), Json::array({1}));
}

TEST(WorkspaceEditJson, NamesTheVersionWhereTheClientCanCheckIt) {
  const Document doc = document("ä = 1\n");
  const Json edit = to_json(adapters::TextEdit{{3, 6}, "= 2"}, *doc.text, PositionEncoding::kUtf16);
  EXPECT_EQ(edit,
            (Json{{"range", {{"start", {{"line", 0}, {"character", 2}}}, {"end", {{"line", 0}, {"character", 5}}}}},
                  {"newText", "= 2"}}));
  ClientCapabilities client;
  EXPECT_EQ(workspace_edit(doc, edit, client), (Json{{"changes", {{"file:///a.py", Json::array({edit})}}}}));
  client.document_changes = true;
  const Json versioned = {{"textDocument", {{"uri", "file:///a.py"}, {"version", 3}}}, {"edits", Json::array({edit})}};
  EXPECT_EQ(workspace_edit(doc, edit, client), (Json{{"documentChanges", Json::array({versioned})}}));
}

TEST(TextEditJson, LineEndsAreTheDocuments) {
  const auto text = [](const std::string& document, const std::string& written) {
    return to_json(adapters::TextEdit{{0, 0}, written}, document, PositionEncoding::kUtf8).at("newText");
  };
  EXPECT_EQ(text("a\nb\n", "x\ny"), "x\ny");
  EXPECT_EQ(text("a\r\nb\r\n", "x\ny\n"), "x\r\ny\r\n");
  EXPECT_EQ(text("a\r\nb\r\n", "x\r\ny"), "x\r\ny");
  EXPECT_EQ(text("a", "x\ny"), "x\ny");
}

}  // namespace
}  // namespace weft::lsp
