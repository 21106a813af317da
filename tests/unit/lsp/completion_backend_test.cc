// The backend's own thread: the caller never waits for a prompt, and every request is answered once, also at the end.
#include "lsp/completion_backend.h"

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "generation/engine.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_runner.h"
#include "tests/support/gate.h"

namespace weft::lsp {
namespace {

using generation::CompletionResult;
using test::ByteTokenizer;
using test::Gate;

model::ModelConfig fim_config() {
  model::ModelConfig config;
  config.fim = {.prefix = "<fim_prefix>",
                .suffix = "<fim_suffix>",
                .middle = "<fim_middle>",
                .layout = model::FimLayout::kPsm,
                .stops = {"<|endoftext|>"}};
  config.eos = {ByteTokenizer::kEndOfText.value()};
  return config;
}

class Backend : public ::testing::Test {
 protected:
  void SetUp() override {
    auto clock = std::make_shared<test::FakeClock>();
    test::FakeRunnerOptions fake;
    fake.gate = steps_;
    auto runner = std::make_shared<test::FakeRunner>(test::reply_script("42\n"), std::move(fake));
    auto engine = std::make_shared<generation::Engine>(runner, std::make_shared<ByteTokenizer>(), clock);
    generation::CompletionOptions options;
    // Called where the prompt is prepared, so this gate holds the preparation.
    options.screen = [gate = preparing_](std::string_view path, std::string_view text) -> Expected<std::string> {
      if (text.empty()) gate->pass();
      if (path == "/broken.py") throw std::runtime_error("a bug");
      return std::string(text);
    };
    backend_ = make_backend(std::make_unique<generation::CompletionService>(engine, fim_config(), clock, options));
  }
  void TearDown() override {
    preparing_->open();
    steps_->open();
  }

  // Throws when it is answered a second time.
  std::pair<RequestId, std::future<Expected<CompletionResult>>> complete(std::string path = "/a.py") {
    generation::CompletionRequest request;
    request.document = {std::move(path), "python", std::make_shared<const std::string>("x = "), 1};
    request.cursor = 4;
    auto answer = std::make_shared<std::promise<Expected<CompletionResult>>>();
    auto future = answer->get_future();
    const RequestId id = backend_->complete(
        std::move(request), [answer](Expected<CompletionResult> result) { answer->set_value(std::move(result)); });
    return {id, std::move(future)};
  }

  std::shared_ptr<Gate> preparing_ = std::make_shared<Gate>(), steps_ = std::make_shared<Gate>();
  std::shared_ptr<CompletionBackend> backend_;
};

TEST_F(Backend, TheCallerDoesNotWaitForThePrompt) {
  preparing_->close();
  auto [id, answer] = complete();  // returns although the preparation is held
  preparing_->open();
  const auto result = answer.get();
  ASSERT_TRUE(result);
  ASSERT_EQ(result->items.size(), 1U);
  EXPECT_EQ(result->items[0].text, "42");
}

TEST_F(Backend, WhatWaitsIsCancelledAtOnce) {
  preparing_->close();
  auto [first_id, first] = complete();
  preparing_->wait_until_held();
  auto [second_id, second] = complete();
  backend_->cancel(second_id);
  EXPECT_TRUE(second.get()->cancelled);
  preparing_->open();
  EXPECT_FALSE(first.get()->cancelled);
}

TEST_F(Backend, WhatIsBeingPreparedIsCancelledToo) {
  preparing_->close();
  steps_->close();
  auto [first_id, first] = complete();
  preparing_->wait_until_held();
  backend_->cancel(first_id);
  preparing_->let_through();
  auto [second_id, second] = complete("/b.py");
  preparing_->wait_until_held();  // by the second: the first has been passed on and cancelled
  steps_->open();
  EXPECT_TRUE(first.get()->cancelled);
  preparing_->open();
  EXPECT_FALSE(second.get()->cancelled);
}

TEST_F(Backend, AFaultInThePreparationIsAnError) {
  auto [id, answer] = complete("/broken.py");
  const auto result = answer.get();
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("a bug"), std::string::npos);
  auto [next_id, next] = complete();
  EXPECT_TRUE(next.get().has_value());
}

TEST_F(Backend, AtTheEndEverythingIsAnswered) {
  preparing_->close();
  auto [first_id, first] = complete();
  preparing_->wait_until_held();
  auto [second_id, second] = complete();
  auto [third_id, third] = complete("/c.py");
  auto closing = std::async(std::launch::async, [backend = std::move(backend_)]() mutable { backend.reset(); });
  preparing_->open();
  closing.get();
  EXPECT_TRUE(first.get().has_value());
  EXPECT_TRUE(second.get().has_value());
  EXPECT_TRUE(third.get().has_value());
}

}  // namespace
}  // namespace weft::lsp
