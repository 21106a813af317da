#include "lsp/command/prompt_log.h"

#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

LoggedPrompt prompt(const std::string& letters, std::size_t prefilled) {
  LoggedPrompt out;
  for (const char letter : letters) out.tokens.emplace_back(letter);
  out.computed = true;
  out.timings.prompt_tokens = letters.size();
  out.timings.prefilled_tokens = prefilled;
  out.timings.generated_tokens = 1;
  return out;
}

TEST(PromptLog, ComparesWithEveryEarlierPrompt) {
  // "abcxy" shares three tokens with the first, one with the second.
  const PrefixReuse reuse = judge_reuse({prompt("abcd", 4), prompt("azz", 3), prompt("abcxy", 2)});
  EXPECT_EQ(reuse.prompts, 3U);
  EXPECT_EQ(reuse.prompt_tokens, 12U);
  EXPECT_EQ(reuse.reusable_tokens, 0U + 1U + 3U);
  EXPECT_EQ(reuse.reused_tokens, 0U + 0U + 3U);
}

// A cache that held more than any prompt, such as what was generated, gains nothing for the prompts where it missed.
TEST(PromptLog, WhatIsReusedBeyondThePromptsDoesNotHideAMiss) {
  const PrefixReuse reuse = judge_reuse({prompt("abcd", 4), prompt("abefgh", 0), prompt("abcz", 4)});
  EXPECT_EQ(reuse.reusable_tokens, 2U + 3U);
  EXPECT_EQ(reuse.reused_tokens, 2U + 0U);
}

TEST(PromptLog, ThePromptsLastTokenIsNeverReusable) {
  EXPECT_EQ(judge_reuse({prompt("abcd", 4), prompt("abcd", 1)}).reusable_tokens, 3U);
}

TEST(PromptLog, AnotherAdaptersPromptIsNotShared) {
  LoggedPrompt other = prompt("abcd", 4);
  other.adapter = AdapterId(1);
  EXPECT_EQ(judge_reuse({other, prompt("abcd", 4)}).reusable_tokens, 0U);
}

TEST(PromptLog, WhatWasNeverComputedCountsOnNeitherSide) {
  LoggedPrompt cancelled = prompt("abcd", 0);
  cancelled.computed = false;
  const PrefixReuse reuse = judge_reuse({cancelled, prompt("abcd", 4), cancelled});
  EXPECT_EQ(reuse.prompts, 1U);
  EXPECT_EQ(reuse.reusable_tokens, 0U);
}

TEST(PromptLog, WatchesARequestAndItsResult) {
  PromptLog log(std::make_shared<const SteadyClock>());
  generation::GenerationRequest request;
  request.prompt = {TokenId(3), TokenId(4)};
  bool told = false;
  generation::EventSink sink;
  sink.on_done = [&](const generation::GenerationResult&) { told = true; };
  log.watch(request, sink);
  generation::GenerationResult result;
  result.reason = generation::FinishReason::kLength;
  result.timings.generated_tokens = 5;
  sink.on_done(std::move(result));
  EXPECT_TRUE(told);
  ASSERT_EQ(log.prompts().size(), 1U);
  EXPECT_EQ(log.prompts()[0].tokens, request.prompt);
  EXPECT_TRUE(log.prompts()[0].computed && log.prompts()[0].finished);
  EXPECT_EQ(log.prompts()[0].timings.generated_tokens, 5U);
}

}  // namespace
}  // namespace weft::lsp
