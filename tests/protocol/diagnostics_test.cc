// Sessions about warnings of bugs: from a save to what the editor shows, through edits, to the fix and the close.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/lsp/action_session.h"

namespace weft::test {
namespace {

using adapters::Bug;
using adapters::TextEdit;
using generation::ByteRange;

// Two functions; the second has a bug in the line that `kBug` is.
const std::string kText =
    "def area(w, h):\n"
    "    return w * h\n"
    "\n"
    "def add(a, b):\n"
    "    return a - b\n";
const std::string kBug = "return a - b", kFix = "return a + b";
constexpr int kBugLine = 4;
constexpr std::chrono::milliseconds kDebounce{300};

class Warnings : public ActionSession {
 protected:
  void SetUp() override { actions_->install("bug-detection"); }

  void save(const std::string& uri = kUri) {
    client.notify("textDocument/didSave", {{"textDocument", {{"uri", uri}}}});
  }
  // Saves and lets the moment pass; the model has been asked for the `call`th time.
  void check(std::size_t call, const std::string& uri = kUri) {
    save(uri);
    client.loop().advance(kDebounce);
    ASSERT_TRUE(wait_for_calls(call + 1));
  }
  Bug bug_in(const std::string& text, double probability = 0.93127) const {
    const std::size_t begin = text.find(kBug);
    const ByteRange line{begin, begin + kBug.size()};
    return {line, probability, TextEdit{line, kFix}};
  }
  void answer(std::size_t call, std::vector<Bug> bugs) {
    actions_->answer_bugs(call, std::move(bugs));
    client.loop().run_posted();
  }
  // One warning is shown.
  void warn() {
    client.open(kUri, kText);
    check(0);
    answer(0, {bug_in(kText)});
    ASSERT_EQ(published().size(), 1U);
  }
  std::vector<Json> published() const {
    std::vector<Json> out;
    for (const Json& message : client.notifications("textDocument/publishDiagnostics")) {
      out.push_back(message.at("params"));
    }
    return out;
  }
  void replace(int version, int line, int begin, int end, const std::string& text) {
    const Json range = {{"start", {{"line", line}, {"character", begin}}},
                        {"end", {{"line", line}, {"character", end}}}};
    client.notify("textDocument/didChange", {{"textDocument", {{"uri", kUri}, {"version", version}}},
                                             {"contentChanges", {{{"range", range}, {"text", text}}}}});
  }
  // Worker and loop have done what there was to do.
  void settle() {
    list(kUri, 0, 0);
    client.loop().run_posted();
  }
};

TEST_F(Warnings, ASaveIsChecked) {
  begin();
  warn();
  EXPECT_EQ(*actions_->calls()[0].document.text, kText);
  EXPECT_EQ(std::get<ByteRange>(actions_->calls()[0].about), ByteRange{}) << "all of it, the first time";
  const Json range = {{"start", {{"line", 4}, {"character", 4}}}, {"end", {{"line", 4}, {"character", 16}}}};
  const Json expected = {
      {"uri", kUri},
      {"version", 1},
      {"diagnostics",
       {{{"range", range},
         {"severity", 4},
         {"code", "possible-bug"},
         {"source", "weft"},
         {"message", "Possible bug: should this be `return a + b`?"},
         {"data", {{"probability", 0.9313}, {"fix", {{"range", range}, {"newText", "return a + b"}}}}}}}}};
  EXPECT_EQ(published()[0], expected);
}

TEST_F(Warnings, ABugWithoutAFixIsShownWithoutOne) {
  begin();
  client.open(kUri, kText);
  check(0);
  const Bug with_fix = bug_in(kText);
  const Bug bug{with_fix.line, with_fix.probability, std::nullopt};
  answer(0, {bug});
  const Json shown = published().at(0).at("diagnostics").at(0);
  EXPECT_EQ(shown.at("message"), "Possible bug in this line.");
  EXPECT_FALSE(shown.at("data").contains("fix"));
  EXPECT_EQ(list(kUri, kBugLine, 5, {{"diagnostics", {shown}}, {"only", {"quickfix"}}}), Json::array());
}

TEST_F(Warnings, CleanFilesAreNotSpokenOf) {
  begin();
  client.open(kUri, kText);
  check(0);
  answer(0, {});
  EXPECT_TRUE(published().empty());
}

TEST_F(Warnings, PositionsAreInTheNegotiatedEncoding) {
  begin();
  const std::string text = "def f(a, b):\n    \"𝕏\"; return a - b\n";
  client.open(kUri, text);
  check(0);
  answer(0, {bug_in(text)});
  EXPECT_EQ(published().at(0).at("diagnostics").at(0).at("range").at("start"), (Json{{"line", 1}, {"character", 10}}));
}

TEST_F(Warnings, NothingIsCheckedThatMayNotBe) {
  begin();
  client.open("file:///home/me/.ssh/a.py", kText);
  client.notify(
      "textDocument/didOpen",
      {{"textDocument", {{"uri", "file:///code/b.c"}, {"languageId", "c"}, {"version", 1}, {"text", kText}}}});
  for (const char* uri : {"file:///home/me/.ssh/a.py", "file:///code/b.c", "file:///code/not-open.py"}) {
    save(uri);
    client.loop().advance(kDebounce);
  }
  client.open(kUri, "");
  save();
  client.loop().advance(kDebounce);
  settle();
  EXPECT_TRUE(actions_->calls().empty());
}

TEST_F(Warnings, WithoutAnAdapterNothingIsChecked) {
  actions_->remove("bug-detection");
  begin();
  client.open(kUri, kText);
  save();
  EXPECT_EQ(client.loop().timers(), 0U);
}

TEST_F(Warnings, TheyCanBeTurnedOff) {
  client.wait_for_model();
  client.ask("initialize", {{"capabilities", all_capabilities()},
                            {"initializationOptions", {{"diagnostics", {{"enabled", false}}}}}});
  client.notify("initialized", Json::object());
  client.open(kUri, kText);
  save();
  EXPECT_EQ(client.loop().timers(), 0U);
}

TEST_F(Warnings, BrokenOptionsAreRefused) {
  const Json answer = client.ask("initialize", {{"capabilities", Json::object()},
                                                {"initializationOptions", {{"diagnostics", {{"enabled", "no"}}}}}});
  EXPECT_EQ(code_of(answer), kInvalidParams);
  EXPECT_EQ(answer.at("error").at("message"), "params.initializationOptions.diagnostics.enabled must be true or false");
}

TEST_F(Warnings, AChangeRightAfterTheSaveEndsTheCheck) {
  begin();
  client.open(kUri, kText);
  save();
  client.insert(kUri, 2, 0, 0, " ");
  client.loop().advance(kDebounce);
  settle();
  EXPECT_TRUE(actions_->calls().empty());
}

TEST_F(Warnings, SavesInARowAreOneCheck) {
  begin();
  client.open(kUri, kText);
  save();
  client.loop().advance(kDebounce / 2);
  save();
  client.loop().advance(kDebounce / 2);
  settle();
  EXPECT_TRUE(actions_->calls().empty());
  client.loop().advance(kDebounce);
  ASSERT_TRUE(wait_for_calls(1));
  settle();
  EXPECT_EQ(actions_->calls().size(), 1U);
}

TEST_F(Warnings, AChangeWhileTheModelLooksStopsIt) {
  begin();
  client.open(kUri, kText);
  check(0);
  client.insert(kUri, 2, 0, 0, "\n");
  EXPECT_TRUE(actions_->was_cancelled(0));
  answer(0, {bug_in(kText)});
  EXPECT_TRUE(published().empty());
  check(1);
  EXPECT_EQ(std::get<ByteRange>(actions_->calls()[1].about), ByteRange{}) << "nothing has been checked yet";
}

TEST_F(Warnings, LaterOnlyWhatChangedIsChecked) {
  begin();
  warn();
  replace(2, 1, 15, 16, "2");  // in the first function
  check(1);
  const auto changed = std::get<ByteRange>(actions_->calls()[1].about);
  EXPECT_LE(changed.begin, 31U);
  EXPECT_GE(changed.end, 32U);
  EXPECT_LT(changed.end, kText.find("def add"));
  answer(1, {});
  const Json last = published().back();
  EXPECT_EQ(last.at("version"), 2);
  EXPECT_EQ(last.at("diagnostics").size(), 1U) << "the other function's warning stays";
}

TEST_F(Warnings, AnotherVerdictReplacesTheOlder) {
  begin();
  warn();
  replace(2, 3, 8, 9, "x");  // the function's signature: its line of the warning is as it was
  EXPECT_EQ(published().size(), 1U);
  check(1);
  answer(1, {});
  EXPECT_EQ(published().back().at("diagnostics"), Json::array());
}

TEST_F(Warnings, WithoutAChangeNothingIsCheckedAgain) {
  begin();
  warn();
  save();
  client.loop().advance(kDebounce);
  settle();
  EXPECT_EQ(actions_->calls().size(), 1U);
  EXPECT_EQ(published().size(), 1U);
  client.insert(kUri, 2, 2, 0, "x = 1\n");  // between the functions
  save();
  client.loop().advance(kDebounce);
  settle();
  EXPECT_EQ(actions_->calls().size(), 1U);
}

TEST_F(Warnings, ANewAdapterChecksEverythingAgain) {
  begin();
  warn();
  actions_->install("bug-detection");
  check(1);
  EXPECT_EQ(std::get<ByteRange>(actions_->calls()[1].about), ByteRange{});
  answer(1, {});
  EXPECT_EQ(published().back().at("diagnostics"), Json::array());
}

TEST_F(Warnings, TheAdapterTakesItsWarningsAlong) {
  begin();
  warn();
  actions_->remove("bug-detection");
  save();
  EXPECT_EQ(published().back().at("diagnostics"), Json::array());
}

TEST_F(Warnings, TheyMoveWithTheText) {
  begin();
  warn();
  client.insert(kUri, 2, 0, 0, "import os\n");
  ASSERT_EQ(published().size(), 2U);
  EXPECT_EQ(published()[1].at("version"), 2);
  EXPECT_EQ(published()[1].at("diagnostics").at(0).at("range").at("start").at("line"), kBugLine + 1);
  EXPECT_EQ(published()[1].at("diagnostics").at(0).at("data").at("fix").at("range").at("start").at("line"),
            kBugLine + 1);
  client.insert(kUri, 3, 2, 16, "  # of a rectangle");
  EXPECT_EQ(published().size(), 2U) << "what looks the same is not said again";
}

TEST_F(Warnings, TheyGoWhenTheirLineIsTouched) {
  begin();
  warn();
  replace(2, kBugLine, 13, 14, "+");
  ASSERT_EQ(published().size(), 2U);
  EXPECT_EQ(published()[1].at("diagnostics"), Json::array());
  EXPECT_EQ(published()[1].at("version"), 2);
  replace(3, kBugLine, 13, 14, "-");
  EXPECT_EQ(published().size(), 2U) << "and do not come back by themselves";
}

TEST_F(Warnings, ClosingTakesThemAway) {
  begin();
  warn();
  client.notify("textDocument/didClose", {{"textDocument", {{"uri", kUri}}}});
  EXPECT_EQ(published().back(), (Json{{"uri", kUri}, {"diagnostics", Json::array()}}));
  client.open(kUri, kText);
  EXPECT_EQ(list(kUri, kBugLine, 5), Json::array());
  check(1);
  EXPECT_EQ(std::get<ByteRange>(actions_->calls()[1].about), ByteRange{});
}

TEST_F(Warnings, TextThatCannotBeFollowedHasNone) {
  begin();
  warn();
  replace(2, 3, 9, 2, "x");  // ends before it starts
  EXPECT_EQ(published().back().at("diagnostics"), Json::array());
}

TEST_F(Warnings, TheModelsFailureIsToldOnce) {
  begin();
  client.open(kUri, kText);
  for (const std::size_t call : {0U, 1U}) {
    check(call);
    actions_->answer_bugs(call, make_error("the device is gone"));
    client.loop().run_posted();
  }
  EXPECT_EQ(client.notifications("window/logMessage").size(), 1U);
  EXPECT_TRUE(published().empty());
}

TEST_F(Warnings, TheFixIsOfferedOnItsLine) {
  begin();
  warn();
  const Json shown = published()[0].at("diagnostics").at(0);
  const Json actions = list(kUri, kBugLine, 0, {{"diagnostics", {shown}}, {"only", {"quickfix"}}});
  const Json range = shown.at("range");
  const Json edit = {{"textDocument", {{"uri", kUri}, {"version", 1}}},
                     {"edits", {{{"range", range}, {"newText", kFix}}}}};
  const Json expected = {{"title", "Replace with `return a + b`"},
                         {"kind", "quickfix"},
                         {"diagnostics", {shown}},
                         {"edit", {{"documentChanges", {edit}}}}};
  EXPECT_EQ(actions, Json::array({expected}));
  EXPECT_EQ(list(kUri, kBugLine - 1, 0), Json::array());
}

TEST_F(Warnings, TheFixMovesWithTheText) {
  begin();
  warn();
  client.insert(kUri, 2, 0, 0, "import os\n");
  const Json action = list(kUri, kBugLine + 1, 4, {{"only", {"quickfix"}}}).at(0);
  const Json& change = action.at("edit").at("documentChanges").at(0);
  EXPECT_EQ(change.at("textDocument").at("version"), 2);
  EXPECT_EQ(change.at("edits").at(0).at("range").at("start").at("line"), kBugLine + 1);
}

TEST_F(Warnings, TheFixNamesTheDiagnosticAsTheClientHasIt) {
  begin();
  warn();
  Json shown = published()[0].at("diagnostics").at(0);
  shown["tags"] = {1};  // as some client may add
  const Json foreign = {{"range", shown.at("range")}, {"source", "other"}, {"message", "unused"}};
  const Json actions = list(kUri, kBugLine, 0, {{"diagnostics", {foreign, shown, 7, {{"source", "weft"}}}}});
  EXPECT_EQ(actions.at(0).at("diagnostics"), Json::array({shown}));
}

TEST_F(Warnings, OnlyACertainFixIsPreferred) {
  begin();
  client.open(kUri, kText);
  check(0);
  answer(0, {bug_in(kText, 0.99)});
  EXPECT_EQ(list(kUri, kBugLine, 0).at(0).at("isPreferred"), true);
  replace(2, 3, 8, 9, "x");
  check(1);
  answer(1, {bug_in(kText, 0.9)});
  EXPECT_FALSE(list(kUri, kBugLine, 0).at(0).contains("isPreferred"));
}

TEST_F(Warnings, ShutdownStopsTheCheck) {
  begin();
  client.open(kUri, kText);
  check(0);
  client.ask("shutdown", nullptr);
  EXPECT_TRUE(actions_->was_cancelled(0));
  answer(0, {bug_in(kText)});
  EXPECT_TRUE(published().empty());
}

}  // namespace
}  // namespace weft::test
