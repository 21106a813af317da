// ActionSession: a fixture for sessions about code actions and diagnostics, with a client that knows all of it and a
// backend that answers when the test says so.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/lsp/fake_actions.h"
#include "tests/support/lsp/fake_backend.h"
#include "tests/support/lsp/lsp_client.h"

namespace weft::test {

inline constexpr int kInvalidParams = -32602, kRequestCancelled = -32800, kContentModified = -32801,
                     kRequestFailed = -32803;
inline const std::string kUri = "file:///code/a.py";
// A description with nothing below it; the cursor stands at 2:0.
inline const std::string kComment = "import math\n# Adds two numbers.\n";
// A loop that a comprehension would say better.
inline const std::string kLoop =
    "def squares(xs):\n    out = []\n    for x in xs:\n        out.append(x * x)\n    return out\n";
inline constexpr int kLoopLine = 2;

[[nodiscard]] inline Json all_capabilities() {
  const Json code_action = {{"codeActionLiteralSupport", {{"codeActionKind", {{"valueSet", Json::array()}}}}},
                            {"dataSupport", true},
                            {"isPreferredSupport", true},
                            {"resolveSupport", {{"properties", {"edit"}}}},
                            {"tagSupport", {{"valueSet", {1}}}}};
  return {{"textDocument", {{"codeAction", code_action}}},
          {"workspace", {{"applyEdit", true}, {"workspaceEdit", {{"documentChanges", true}}}}},
          {"window", {{"workDoneProgress", true}}}};
}

[[nodiscard]] inline Json list_params(const std::string& uri, int line, int character,
                                      const Json& context = {{"diagnostics", Json::array()}}) {
  const Json place = {{"line", line}, {"character", character}};
  return {{"textDocument", {{"uri", uri}}}, {"range", {{"start", place}, {"end", place}}}, {"context", context}};
}

[[nodiscard]] inline int code_of(const Json& answer) {
  return answer.contains("error") ? answer.at("error").at("code").get<int>() : 0;
}

class ActionSession : public ::testing::Test {
 protected:
  // The model is there; the client's answer to `initialize`.
  Json begin(const Json& capabilities = all_capabilities()) {
    client.wait_for_model();
    return client.open_session(capabilities);
  }

  Json list(const std::string& uri, int line, int character, const Json& context = {{"diagnostics", Json::array()}}) {
    return client.ask("textDocument/codeAction", list_params(uri, line, character, context)).at("result");
  }

  // Runs what is posted until the backend has been asked so often.
  bool wait_for_calls(std::size_t calls) {
    return client.loop().run_until([&] { return actions_->calls().size() >= calls; });
  }

  std::shared_ptr<FakeActionBackend> actions_ = std::make_shared<FakeActionBackend>();
  LspClient client{loader_of(std::make_shared<FakeBackend>(), actions_)};
};

}  // namespace weft::test
