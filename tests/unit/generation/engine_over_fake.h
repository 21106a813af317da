// An engine in sync mode over a FakeRunner, for tests of what only a fake can show. Test's thread only.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/engine_harness.h"
#include "tests/support/fake_runner.h"
#include "tests/unit/generation/engine_fixture.h"

namespace weft::test {

class EngineOverFake : public testing::Test {
 protected:
  EngineHarness over(std::shared_ptr<FakeRunner> runner, EngineOptions options = {.threads = 0}) {
    return {std::move(runner), tokenizer_, options};
  }
  [[nodiscard]] GenerationRequest request(std::string_view prompt, std::string session = {}) const {
    GenerationRequest request;
    request.prompt = tokenizer_->encode(prompt);
    request.stop_tokens = {ByteTokenizer::kEndOfText};
    request.session = std::move(session);
    return request;
  }
  const std::shared_ptr<const ByteTokenizer> tokenizer_ = std::make_shared<ByteTokenizer>();
};

}  // namespace weft::test
