// A completion service over a fake model, for the tests of this folder. The engine is in sync mode.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generation/completion/completion.h"
#include "generation/engine.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_runner.h"

namespace weft::test {

inline model::ModelConfig fim_config(model::FimLayout layout) {
  model::ModelConfig config;
  config.name = "fake-model";
  config.fim = {.prefix = "<fim_prefix>",
                .suffix = "<fim_suffix>",
                .middle = "<fim_middle>",
                .layout = layout,
                .stops = {"<|endoftext|>"}};
  config.eos = {ByteTokenizer::kEndOfText.value()};
  return config;
}

// `annotated` holds one ^ where the cursor stands.
inline generation::CompletionRequest request_at(std::string_view annotated, std::string path = "work.py") {
  generation::CompletionRequest request;
  request.cursor = annotated.find('^');
  WEFT_CHECK(request.cursor != std::string_view::npos);
  std::string text(annotated);
  text.erase(request.cursor, 1);
  request.document = {std::move(path), "", std::make_shared<const std::string>(std::move(text)), 1};
  request.session = "editor";
  return request;
}

struct Rig {
  explicit Rig(Script script, generation::CompletionOptions options = {},
               model::FimLayout layout = model::FimLayout::kPsm,
               const std::shared_ptr<const model::Tokenizer>& tokenizer = std::make_shared<ByteTokenizer>(),
               std::function<void()> on_step = {})
      : runner(std::make_shared<FakeRunner>(std::move(script), FakeRunnerOptions{.vocabulary = tokenizer->vocabulary(),
                                                                                 .on_step = std::move(on_step)})),
        engine(std::make_shared<generation::Engine>(runner, tokenizer, clock, generation::EngineOptions{.threads = 0})),
        service(
            std::make_unique<generation::CompletionService>(engine, fim_config(layout), clock, std::move(options))) {}

  generation::CompletionResult complete(generation::CompletionRequest request) const {
    auto result = service->complete_now(std::move(request));
    WEFT_CHECK(result.has_value());
    return std::move(*result);
  }

  // The first item's text, or the reason in angle brackets.
  std::string text_at(std::string_view annotated, std::string path = "work.py") const {
    const auto result = complete(request_at(annotated, std::move(path)));
    return result.items.empty() ? '<' + result.reason + '>' : result.items.front().text;
  }

  // Everything that the model was ever given, control tokens left out.
  [[nodiscard]] std::string seen() const {
    std::string text;
    for (const model::StepPlan& plan : runner->plans()) {
      for (const model::StepSequence& part : plan.sequences) text += ByteTokenizer().decode(part.tokens);
    }
    return text;
  }

  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  std::shared_ptr<FakeRunner> runner;
  std::shared_ptr<generation::Engine> engine;
  std::unique_ptr<generation::CompletionService> service;
};

}  // namespace weft::test
