// Sessions from initialize to exit: order of messages, errors for what does not belong, exit codes, the model's
// loading.
#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/gate.h"
#include "tests/support/lsp/fake_backend.h"
#include "tests/support/lsp/lsp_client.h"

namespace weft::test {
namespace {

constexpr int kParseError = -32700, kInvalidRequest = -32600, kMethodNotFound = -32601, kInvalidParams = -32602,
              kNotInitialized = -32002;
const std::string kUri = "file:///code/a.py";

std::shared_ptr<FakeBackend> fake() { return std::make_shared<FakeBackend>(); }

Json with_encodings(const Json& encodings) { return {{"general", {{"positionEncodings", encodings}}}}; }

int code_of(const Json& answer) { return answer.contains("error") ? answer.at("error").at("code").get<int>() : 0; }

// Passes the gate before it gives the model; reports half of the way before that.
lsp::ModelLoader gated_loader(std::shared_ptr<Gate> gate, std::shared_ptr<lsp::CompletionBackend> backend) {
  return [gate, backend](const std::function<void(double)>& progress) {
    progress(0.5);
    gate->pass();
    progress(1.0);
    return loader_of(backend)({});
  };
}

lsp::ModelLoader failing_loader() {
  return [](const std::function<void(double)>&) -> Expected<lsp::ReadyModel> {
    return make_error("/models/x/model.safetensors: no such file");
  };
}

TEST(Lifecycle, InitializeTellsWhatWeftCan) {
  LspClient client(loader_of(fake()));
  const Json result = client.open_session().at("result");
  EXPECT_EQ(result.at("serverInfo"), (Json{{"name", "weftd"}, {"version", "0.0.0-test"}}));
  const Json& capabilities = result.at("capabilities");
  EXPECT_EQ(capabilities.at("positionEncoding"), "utf-16");
  EXPECT_EQ(capabilities.at("textDocumentSync").at("openClose"), true);
  EXPECT_EQ(capabilities.at("textDocumentSync").at("change"), 2);
  EXPECT_TRUE(capabilities.contains("inlineCompletionProvider"));
  EXPECT_TRUE(capabilities.contains("completionProvider"));
}

TEST(Lifecycle, NegotiatesThePositionEncoding) {
  const auto chosen = [](const Json& capabilities) {
    LspClient client(loader_of(fake()));
    return client.open_session(capabilities).at("result").at("capabilities").at("positionEncoding");
  };
  EXPECT_EQ(chosen(with_encodings({"utf-16", "utf-8"})), "utf-8");
  EXPECT_EQ(chosen(with_encodings({"utf-32"})), "utf-32");
  EXPECT_EQ(chosen(with_encodings({"utf-32", "utf-16"})), "utf-16");
  EXPECT_EQ(chosen(with_encodings({"ebcdic", 3})), "utf-16");
  EXPECT_EQ(chosen(with_encodings(nullptr)), "utf-16");
}

TEST(Lifecycle, RequestsBeforeInitializeAreRefusedAndNotificationsIgnored) {
  LspClient client(loader_of(fake()));
  EXPECT_EQ(code_of(client.ask("textDocument/inlineCompletion", Json::object())), kNotInitialized);
  EXPECT_EQ(code_of(client.ask("weft/unheard-of", Json::object())), kNotInitialized);
  EXPECT_EQ(code_of(client.ask("shutdown", nullptr)), kNotInitialized);
  client.open(kUri, "x");
  EXPECT_EQ(client.server().documents().size(), 0U);
  EXPECT_TRUE(client.open_session().contains("result"));
}

TEST(Lifecycle, InitializeWithWrongParamsMayBeTriedAgain) {
  LspClient client(loader_of(fake()));
  EXPECT_EQ(code_of(client.ask("initialize", nullptr)), kInvalidParams);
  EXPECT_EQ(code_of(client.ask("initialize", {{"capabilities", 7}})), kInvalidParams);
  EXPECT_TRUE(client.open_session().contains("result"));
  EXPECT_EQ(code_of(client.ask("initialize", {{"capabilities", Json::object()}})), kInvalidRequest);
}

TEST(Lifecycle, UnknownMethods) {
  LspClient client(loader_of(fake()));
  client.open_session();
  EXPECT_EQ(code_of(client.ask("textDocument/hover", Json::object())), kMethodNotFound);
  EXPECT_EQ(code_of(client.ask("$/hover", Json::object())), kMethodNotFound);
  const std::size_t before = client.received().size();
  client.notify("$/setTrace", {{"value", "off"}});
  client.notify("workspace/didChangeConfiguration", Json::object());
  EXPECT_EQ(client.received().size(), before);
}

TEST(Lifecycle, ExitCodes) {
  const auto exit_after = [](bool initialize, bool shutdown) {
    LspClient client(loader_of(fake()));
    if (initialize) client.open_session();
    if (shutdown) client.ask("shutdown", nullptr);
    EXPECT_EQ(client.server().exit_code_at_end(), shutdown ? 0 : 1);
    EXPECT_FALSE(client.server().exit_code());
    client.notify("exit", nullptr);
    return client.server().exit_code().value_or(-1);
  };
  EXPECT_EQ(exit_after(true, true), 0);
  EXPECT_EQ(exit_after(true, false), 1);
  EXPECT_EQ(exit_after(false, false), 1);
}

TEST(Lifecycle, AfterShutdownRequestsAreRefused) {
  LspClient client(loader_of(fake()));
  client.open_session();
  client.ask("shutdown", nullptr);
  EXPECT_EQ(code_of(client.ask("weft/status", nullptr)), kInvalidRequest);
  EXPECT_EQ(code_of(client.ask("shutdown", nullptr)), kInvalidRequest);
  EXPECT_EQ(code_of(client.ask("initialize", {{"capabilities", Json::object()}})), kInvalidRequest);
  client.open(kUri, "x");
  EXPECT_EQ(client.server().documents().size(), 0U);
}

TEST(Lifecycle, MalformedMessagesAreAnsweredAndHarmNothing) {
  LspClient client(loader_of(fake()));
  client.open_session();
  const auto last_error = [&](std::string_view body) {
    const std::size_t before = client.received().size();
    client.send_body(body);
    EXPECT_EQ(client.received().size(), before + 1) << body;
    const Json answer = client.received().back();
    EXPECT_EQ(answer.at("id"), nullptr) << body;
    return code_of(answer);
  };
  EXPECT_EQ(last_error("{"), kParseError);
  EXPECT_EQ(last_error(""), kParseError);
  EXPECT_EQ(last_error("{\"method\":\"\xff\"}"), kParseError);
  EXPECT_EQ(last_error(std::string(100000, '[')), kParseError);
  EXPECT_EQ(last_error("[]"), kInvalidRequest);
  EXPECT_EQ(last_error("7"), kInvalidRequest);
  EXPECT_EQ(last_error("{}"), kInvalidRequest);
  EXPECT_EQ(last_error(R"({"jsonrpc":"2.0","id":{},"method":"weft/status"})"), kInvalidRequest);
  EXPECT_EQ(last_error(R"({"jsonrpc":"2.0","id":1.5,"method":"weft/status"})"), kInvalidRequest);
  client.server().receive_bad_frame(make_error("frame header has no Content-Length"));
  EXPECT_EQ(code_of(client.received().back()), kParseError);
  EXPECT_TRUE(client.ask("weft/status", nullptr).contains("result"));
}

TEST(Lifecycle, MalformedRequestsWithAnIdAreAnsweredUnderIt) {
  LspClient client(loader_of(fake()));
  client.open_session();
  client.send_body(R"({"jsonrpc":"2.0","id":"a","method":7})");
  client.send_body(R"({"jsonrpc":"1.0","id":"b","method":"weft/status"})");
  client.send_body(R"({"jsonrpc":"2.0","id":"c","method":"weft/status","params":3})");
  client.send_body(R"({"jsonrpc":"2.0","id":"d","method":"weft/status"})");
  for (const char* id : {"a", "b", "c"}) EXPECT_EQ(code_of(client.answer(id)), kInvalidRequest) << id;
  EXPECT_TRUE(client.answer("d").contains("result"));
}

TEST(ModelLoading, StatusFollowsTheModel) {
  auto gate = std::make_shared<Gate>();
  gate->close();
  LspClient client(gated_loader(gate, fake()));
  client.open_session();
  EXPECT_EQ(client.ask("weft/status", nullptr).at("result"), (Json{{"state", "loading"}}));
  gate->open();
  client.wait_for_model();
  const Json model = {{"name", "fake-backend"}, {"parameters", 7}, {"device", "fake"}, {"dtype", "fp32"}};
  EXPECT_EQ(client.ask("weft/status", nullptr).at("result"), (Json{{"state", "ready"}, {"model", model}}));
}

TEST(ModelLoading, IsShownWhereTheClientCan) {
  auto gate = std::make_shared<Gate>();
  gate->close();
  LspClient client(gated_loader(gate, fake()));
  client.open_session({{"window", {{"workDoneProgress", true}}}});
  ASSERT_EQ(client.server_requests().size(), 1U);
  const Json asked = client.server_requests()[0];
  EXPECT_EQ(asked.at("method"), "window/workDoneProgress/create");
  EXPECT_TRUE(client.notifications("$/progress").empty()) << "nothing before the client agreed";
  client.send_body(lsp::encode_result(asked.at("id"), nullptr));
  gate->open();
  client.wait_for_model();
  const auto shown = client.notifications("$/progress");
  ASSERT_GE(shown.size(), 2U);
  EXPECT_EQ(shown.front().at("params").at("value").at("kind"), "begin");
  EXPECT_EQ(shown.back().at("params").at("value").at("kind"), "end");
  for (const Json& message : shown) EXPECT_EQ(message.at("params").at("token"), asked.at("params").at("token"));
}

TEST(ModelLoading, IsNotShownWhereTheClientCannotOrWillNot) {
  auto gate = std::make_shared<Gate>();
  gate->close();
  LspClient cannot(gated_loader(gate, fake()));
  cannot.open_session();
  EXPECT_TRUE(cannot.server_requests().empty());
  LspClient will_not(gated_loader(gate, fake()));
  will_not.open_session({{"window", {{"workDoneProgress", true}}}});
  const Json id = will_not.server_requests().at(0).at("id");
  will_not.send_body(lsp::encode_error(id, {lsp::ErrorCode::kInvalidRequest, "no"}));
  gate->open();
  will_not.wait_for_model();
  cannot.wait_for_model();
  EXPECT_TRUE(will_not.notifications("$/progress").empty());
}

TEST(ModelLoading, RequestsWaitForTheModel) {
  auto gate = std::make_shared<Gate>();
  gate->close();
  auto backend = fake();
  LspClient client(gated_loader(gate, backend));
  client.open_session();
  client.open(kUri, "x = ");
  const int superseded = client.request_inline(kUri, 0, 3);
  const int id = client.request_inline(kUri, 0, 4);
  EXPECT_EQ(client.answer(superseded).at("result"), nullptr);
  EXPECT_EQ(client.answers_to(id), 0U);
  gate->open();
  client.wait_for_model();
  ASSERT_EQ(backend->requests().size(), 1U);
  backend->answer(0, "1");
  EXPECT_EQ(client.wait_for(id).at("result").at("items").size(), 1U);
}

TEST(ModelLoading, WaitingEndsWithTimeAndWithCancelling) {
  auto gate = std::make_shared<Gate>();
  gate->close();
  auto backend = fake();
  LspClient client(gated_loader(gate, backend));
  client.open_session();
  client.open(kUri, "x = ");
  const int cancelled = client.request_inline(kUri, 0, 4);
  client.notify("$/cancelRequest", {{"id", cancelled}});
  EXPECT_EQ(code_of(client.answer(cancelled)), -32800);
  const int timed_out = client.request_inline(kUri, 0, 4);
  client.loop().advance(std::chrono::milliseconds(5000));
  EXPECT_EQ(client.answer(timed_out).at("result"), nullptr);
  gate->open();
  client.wait_for_model();
  EXPECT_TRUE(backend->requests().empty());
}

TEST(ModelLoading, FailureIsToldOnceAndTheServerLives) {
  LspClient client(failing_loader());
  client.wait_for_model();
  client.open_session();
  client.open(kUri, "x = ");
  const auto told = client.notifications("window/showMessage");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].at("params").at("type"), 1);
  const std::string message = told[0].at("params").at("message");
  EXPECT_NE(message.find("/models/x/model.safetensors"), std::string::npos);
  EXPECT_NE(message.find("--model"), std::string::npos);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(client.wait_for(client.request_inline(kUri, 0, 4)).at("result"), (Json{{"items", Json::array()}}));
  }
  EXPECT_EQ(client.notifications("window/showMessage").size(), 1U);
  const Json status = client.ask("weft/status", nullptr).at("result");
  EXPECT_EQ(status.at("state"), "failed");
  EXPECT_EQ(status.at("error"), "/models/x/model.safetensors: no such file");
}

TEST(ModelLoading, FailureAnswersWhatWaited) {
  auto gate = std::make_shared<Gate>();
  gate->close();
  LspClient client([gate](const std::function<void(double)>&) -> Expected<lsp::ReadyModel> {
    gate->pass();
    throw std::runtime_error("out of memory");
  });
  client.open_session();
  client.open(kUri, "x = ");
  const int id = client.request_inline(kUri, 0, 4);
  gate->open();
  EXPECT_EQ(client.wait_for(id).at("result"), (Json{{"items", Json::array()}}));
  EXPECT_NE(client.server().model().error().find("out of memory"), std::string::npos);
  EXPECT_EQ(client.notifications("window/showMessage").size(), 1U);
}

TEST(Lifecycle, WhatChangedOnDiskIsToldToTheMemory) {
  const auto backend = fake();
  LspClient client(loader_of(backend));
  client.notify("workspace/didChangeWatchedFiles", {{"changes", Json::array()}});  // too early: ignored
  client.open_session();
  client.wait_for_model();
  client.open(kUri, "x");
  client.notify("textDocument/didSave", {{"textDocument", {{"uri", kUri}}}});
  client.notify("workspace/didChangeWatchedFiles", {{"changes",
                                                     {{{"uri", "file:///code/b%20c.py"}, {"type", 2}},
                                                      {{"uri", "untitled:Untitled-1"}, {"type", 1}},
                                                      {{"uri", "file:///code/d.py"}, {"type", 3}}}}});
  EXPECT_EQ(backend->changed_files(),
            (std::vector<std::string>{"/code/a.py", "/code/b c.py", "Untitled-1", "/code/d.py"}));
  client.notify("workspace/didChangeWatchedFiles", {{"changes", 7}});
  EXPECT_EQ(client.notifications("window/logMessage").size(), 1U);
}

TEST(Lifecycle, WatchesFilesWhereTheClientCan) {
  LspClient client(loader_of(fake()));
  client.open_session({{"workspace", {{"didChangeWatchedFiles", {{"dynamicRegistration", true}}}}}});
  const auto asked = std::ranges::find_if(client.received(), [](const Json& message) {
    return message.value("method", "") == "client/registerCapability";
  });
  ASSERT_NE(asked, client.received().end());
  const Json& registration = asked->at("params").at("registrations").at(0);
  EXPECT_EQ(registration.at("method"), "workspace/didChangeWatchedFiles");
  EXPECT_NE(registration.dump().find("**/*.py"), std::string::npos);
}

TEST(Lifecycle, StatusSaysWhatIsRemembered) {
  const auto backend = fake();
  generation::MemoryState memory{"/code", {}, std::nullopt};
  memory.project.files = 3;
  memory.environment.emplace();
  memory.environment->step = generation::EnvironmentState::Step::kBuilding;
  memory.environment->tokens = 77;
  backend->set_memory({memory});
  LspClient client(loader_of(backend));
  client.open_session();
  client.wait_for_model();
  const Json status = client.ask("weft/status", nullptr).at("result");
  EXPECT_EQ(status.at("memory").at(0).at("root"), "/code");
  EXPECT_EQ(status.at("memory").at(0).at("project").at("files"), 3);
  EXPECT_EQ(status.at("memory").at(0).at("environment").at("state"), "building");
  EXPECT_EQ(status.at("memory").at(0).at("environment").at("tokens"), 77);
}

}  // namespace
}  // namespace weft::test
