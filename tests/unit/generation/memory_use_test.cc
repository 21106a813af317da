// What the engine makes of a request's memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generation/memory/mixture.h"
#include "tests/support/engine_harness.h"
#include "tests/support/fake_runner.h"
#include "tests/support/word_tokenizer.h"

namespace weft::test {
namespace {

using generation::Evidence;
using generation::GenerationRequest;
using generation::GenerationResult;
using generation::MemoryWeights;

// Goes on as its text does behind the context's last token.
class Remembers final : public generation::TokenMemory {
 public:
  explicit Remembers(std::vector<TokenId> text) : text_(std::move(text)) {}
  [[nodiscard]] std::vector<Evidence> look_up(std::span<const TokenId> context) const override {
    const auto at = std::ranges::find(text_, context.back());
    if (at == text_.end() || at + 1 == text_.end()) return {};
    return {{generation::MemorySource::kFile, 5, {{*(at + 1), 1}}}};
  }

 private:
  std::vector<TokenId> text_;
};

std::shared_ptr<const MemoryWeights> sure() {
  auto weights = std::make_shared<MemoryWeights>();
  weights->shares.fill(0.99F);
  return weights;
}

class MemoryUse : public testing::Test {
 protected:
  // The model prefers 'z' to everything, the memory knows the alphabet.
  [[nodiscard]] GenerationResult generate(GenerationRequest request) const {
    const auto model = [this](std::span<const TokenId>) {
      std::vector<float> logits(tokenizer_->vocabulary(), 0.0F);
      for (const TokenId token : tokenizer_->encode("z")) logits[static_cast<std::size_t>(token.value())] = 2;
      for (const TokenId token : tokenizer_->encode("prime")) logits[static_cast<std::size_t>(token.value())] = 1;
      return logits;
    };
    EngineHarness harness(
        std::make_shared<FakeRunner>(model, FakeRunnerOptions{.vocabulary = tokenizer_->vocabulary()}), tokenizer_,
        {.threads = 0});
    return harness.generate(std::move(request));
  }
  [[nodiscard]] GenerationRequest request(std::string_view prompt, std::string_view text) const {
    GenerationRequest out;
    out.prompt = tokenizer_->encode(prompt);
    out.max_new_tokens = 5;
    out.memory = std::make_shared<Remembers>(tokenizer_->encode(text));
    out.memory_weights = sure();
    return out;
  }
  const std::shared_ptr<const model::Tokenizer> tokenizer_ =
      std::make_shared<WordTokenizer>(std::vector<std::string>{"print", "prime"});
};

TEST_F(MemoryUse, WhatItSaysIsMixedIntoEveryToken) {
  for (const bool speculate : {false, true}) {
    GenerationRequest asked = request("x = a", "abcdefgh");
    asked.speculate = speculate;
    const GenerationResult result = generate(std::move(asked));
    EXPECT_EQ(result.text, "bcdef") << speculate;
    EXPECT_GT(result.mean_logprob, -0.02) << speculate;  // the mixture's
    EXPECT_EQ(result.timings.accepted_tokens > 0, speculate);
  }
}

TEST_F(MemoryUse, WithoutWeightsItGuessesAloneAndSaysNothing) {
  GenerationRequest asked = request("x = a", "abcdefgh");
  asked.memory_weights = nullptr;
  EXPECT_EQ(generate(std::move(asked)).text, "zzzzz");
}

TEST_F(MemoryUse, EveryLineOfABeamSearchHasItsOwn) {
  GenerationRequest asked = request("x = a", "abcdefgh");
  asked.beams = 3;
  EXPECT_EQ(generate(std::move(asked)).text, "bcdef");
}

TEST_F(MemoryUse, ItKnowsTheWordThatTheCursorIsIn) {
  GenerationRequest asked = request("x = ", " print ");
  asked.opening = "pri";
  asked.max_new_tokens = 1;
  EXPECT_EQ(generate(std::move(asked)).text, "nt");
  GenerationRequest alone = request("x = ", "");
  alone.opening = "pri";
  alone.max_new_tokens = 1;
  EXPECT_EQ(generate(std::move(alone)).text, "me");
}

TEST_F(MemoryUse, ItIsAskedBehindItsOwnContextWhereThePromptEndsOtherwise) {
  GenerationRequest asked = request("a|", "abcdefgh");
  EXPECT_EQ(generate(std::move(asked)).text, "zzzzz");
  asked = request("a|", "abcdefgh");
  asked.memory_context = tokenizer_->encode("a");
  EXPECT_EQ(generate(std::move(asked)).text, "bcdef");
}

}  // namespace
}  // namespace weft::test
