// Sessions with the real completion service and engine over a fake runner: what is typed reaches the model, and what
// the client does not want any more stops it.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "generation/completion/completion.h"
#include "generation/engine.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/fake_runner.h"
#include "tests/support/gate.h"
#include "tests/support/lsp/lsp_client.h"

namespace weft::test {
namespace {

const std::string kUri = "file:///code/a.py";

model::ModelConfig fim_config() {
  model::ModelConfig config;
  config.name = "fake-model";
  config.fim = {.prefix = "<fim_prefix>",
                .suffix = "<fim_suffix>",
                .middle = "<fim_middle>",
                .layout = model::FimLayout::kPsm,
                .stops = {"<|endoftext|>"}};
  config.eos = {ByteTokenizer::kEndOfText.value()};
  return config;
}

class Service : public ::testing::Test {
 protected:
  ~Service() override { gate_->open(); }

  void start(const std::string& known_by_heart) {
    FakeRunnerOptions fake;
    fake.gate = gate_;
    runner_ = std::make_shared<FakeRunner>(by_heart_script(known_by_heart), std::move(fake));
    client_ = std::make_unique<LspClient>([runner = runner_](const auto&) -> Expected<lsp::ReadyModel> {
      const auto clock = std::make_shared<const SteadyClock>();
      auto engine = std::make_shared<generation::Engine>(runner, std::make_shared<ByteTokenizer>(), clock);
      return lsp::ReadyModel{
          lsp::make_backend(std::make_unique<generation::CompletionService>(engine, fim_config(), clock)),
          runner->info()};
    });
    client_->open_session();
    client_->wait_for_model();
  }

  std::string first_text(const Json& answer) {
    const Json& result = answer.at("result");
    if (!result.is_object() || result.at("items").empty()) return "<nothing>";
    return result.at("items").at(0).at("insertText").get<std::string>();
  }

  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  std::shared_ptr<FakeRunner> runner_;
  std::unique_ptr<LspClient> client_;
};

TEST_F(Service, OffersWhatTheModelKnows) {
  start("def area(width, height):\n    return width * height\n");
  client_->open(kUri, "def area(width, height):\n    return \n");
  EXPECT_EQ(first_text(client_->wait_for(client_->request_inline(kUri, 1, 11))), "width * height");
}

TEST_F(Service, TypingAlongIsAnsweredWithoutTheModel) {
  start("def area(width, height):\n    return width * height\n");
  client_->open(kUri, "def area(width, height):\n    return \n");
  client_->wait_for(client_->request_inline(kUri, 1, 11));
  const std::size_t steps = runner_->steps();
  client_->insert(kUri, 2, 1, 11, "wid");
  const Json answer = client_->wait_for(client_->request_inline(kUri, 1, 14));
  EXPECT_EQ(runner_->steps(), steps);
  const Json& item = answer.at("result").at("items").at(0);
  const Json& range = item.at("range");
  // However the service puts it, accepting it gives the line.
  std::string line = "    return wid";
  const auto begin = range.at("start").at("character").get<std::size_t>();
  line.replace(begin, range.at("end").at("character").get<std::size_t>() - begin,
               item.at("insertText").get<std::string>());
  EXPECT_EQ(line, "    return width * height");
}

TEST_F(Service, CancellingStopsTheModelAtItsNextStep) {
  gate_->close();
  start("x = " + std::string(60, '1') + "\n");
  client_->open(kUri, "x = \n");
  const int id = client_->request_inline(kUri, 0, 4);
  gate_->wait_until_held();
  // Answered without the model, behind the first: when it is there, the first is wholly in the engine's hands.
  client_->open("file:///code/.env", "KEY=1\n");
  client_->wait_for(client_->request_inline("file:///code/.env", 0, 0));
  client_->notify("$/cancelRequest", {{"id", id}});
  EXPECT_EQ(client_->answer(id).at("error").at("code"), -32800);
  gate_->open();
  client_->insert(kUri, 2, 0, 4, " ");
  client_->wait_for(client_->request_inline(kUri, 0, 0));
  EXPECT_LT(runner_->plans().size(), 60U) << "the cancelled one would have taken 60 steps";
  EXPECT_EQ(client_->answers_to(id), 1U);
}

TEST_F(Service, SupersededWhileTheModelWorks) {
  gate_->close();
  start("first = 1\nsecond = 22\n");
  client_->open(kUri, "first = \nsecond = \n");
  const int older = client_->request_inline(kUri, 0, 8);
  gate_->wait_until_held();
  const int newer = client_->request_inline(kUri, 1, 9);
  EXPECT_EQ(client_->answer(older).at("result"), nullptr);
  gate_->open();
  EXPECT_EQ(first_text(client_->wait_for(newer)), "22");
}

TEST_F(Service, TheEndWhileTheModelWorksLosesNothing) {
  gate_->close();
  start("x = 1\n");
  client_->open(kUri, "x = \n");
  const int id = client_->request_inline(kUri, 0, 4);
  gate_->wait_until_held();
  client_->ask("shutdown", nullptr);
  EXPECT_EQ(client_->answers_to(id), 1U);
  client_->notify("exit", nullptr);
  EXPECT_EQ(client_->server().exit_code(), 0);
  gate_->open();
  client_.reset();
}

TEST_F(Service, ARunnerThatFailsLeavesTheServerAlive) {
  start("x = 1\n");
  client_->open(kUri, "x = \n");
  runner_->fail_at(0, "the device is gone");
  EXPECT_EQ(client_->wait_for(client_->request_inline(kUri, 0, 4)).at("result"), nullptr);
  EXPECT_EQ(client_->notifications("window/logMessage").size(), 1U);
  EXPECT_EQ(first_text(client_->wait_for(client_->request_inline(kUri, 0, 4))), "1");
}

// Whatever comes in whatever order: one answer for each request, and documents as the client has them.
TEST_F(Service, EveryRequestIsAnsweredOnceWhateverHappens) {
  start("def f(a, b):\n    return a + b\n");
  client_->open(kUri, "");
  std::mt19937 random(20260311);
  const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  std::vector<int> ids;
  std::string text;
  int version = 1;
  for (int i = 0; i < 400; ++i) {
    switch (pick(6)) {
      case 0: {
        const std::string typed(1, "def f(a, b):\n"[pick(13)]);
        const auto line = static_cast<int>(std::ranges::count(text, '\n'));
        client_->insert(kUri, ++version, line, 1 << 20, typed);
        text += typed;
        break;
      }
      case 1:
        client_->notify("$/cancelRequest", {{"id", ids.empty() ? 0 : ids.back() - pick(3)}});
        break;
      case 2:
        ids.push_back(client_->request(
            "textDocument/completion",
            {{"textDocument", {{"uri", kUri}}}, {"position", {{"line", pick(4)}, {"character", pick(10)}}}}));
        break;
      case 3:
        client_->loop().run_posted();
        break;
      case 4:
        ids.push_back(client_->request("weft/status", nullptr));
        break;
      default:
        ids.push_back(client_->request_inline(kUri, pick(4), pick(10)));
    }
  }
  EXPECT_EQ(*client_->server().documents().find(kUri)->text, text);
  for (const int id : ids) client_->wait_for(id);
  client_->ask("shutdown", nullptr);
  client_->loop().run_posted();
  for (const int id : ids) EXPECT_EQ(client_->answers_to(id), 1U) << id;
}

}  // namespace
}  // namespace weft::test
