// Random requests, cancellations and steps against the definition of greedy decoding, in little memory: what comes out
// does not depend on what is shared, evicted, preempted or guessed, and at the end nothing is left.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "generation/prefix_cache.h"
#include "tests/support/engine_harness.h"
#include "tests/support/fake_runner.h"

namespace weft::test {
namespace {

using generation::EngineOptions;
using generation::FinishReason;
using generation::GenerationRequest;
using generation::GenerationResult;
using generation::RequestClass;

std::vector<TokenId> greedy(const Script& script, std::vector<TokenId> history, std::size_t count) {
  std::vector<TokenId> out;
  for (; out.size() < count; history.push_back(out.back())) {
    const std::vector<float> row = script(history);
    out.emplace_back(static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
  }
  return out;
}

// Repeats itself, so that guesses come true now and then: the next token hangs on the last two.
Script repeating_script() {
  return [inner = hashed_script()](std::span<const TokenId> history) {
    return inner(history.last(std::min<std::size_t>(history.size(), 2)));
  };
}

struct Asked {
  std::vector<TokenId> prompt;
  std::size_t most = 0, beams = 1;
  AdapterId adapter;
};

class RandomRun {
 public:
  RandomRun() {
    FakeRunnerOptions options;
    options.kv_tokens = 160;
    options.adapter_scripts = {{"one", hashed_script(ByteTokenizer::kVocabulary, 1)}};
    runner_ = std::make_shared<FakeRunner>(repeating_script(), options);
    EngineOptions engine{.threads = 0, .queue_limit = 1000, .sequences_per_step = 4, .tokens_per_step = 12};
    engine.shared_tokens = 5;
    harness_ = std::make_unique<EngineHarness>(runner_, std::make_shared<ByteTokenizer>(), engine);
    adapter_ = *harness_->install(std::make_shared<const model::LoraAdapter>(model::LoraAdapter{"one", {}}));
  }

  void act() {
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
      case 1:
        return submit();
      case 2:
        if (!asked_.empty()) cancel();
        return;
      default:
        harness_->engine().poll();
        harness_->clock().advance(std::chrono::milliseconds(*rc::gen::inRange(0, 40)));
    }
  }

  void check() {
    const Script base = repeating_script(), one = hashed_script(ByteTokenizer::kVocabulary, 1);
    for (const auto& [id, asked] : asked_) {
      const GenerationResult result = harness_->wait(id);
      RC_ASSERT(harness_->final_events(id) == 1U);
      RC_ASSERT(result.reason != FinishReason::kFailed);
      const auto expected = greedy(asked.adapter == AdapterId() ? base : one, asked.prompt, asked.most);
      if (asked.beams == 1 && result.reason != FinishReason::kCancelled) RC_ASSERT(result.tokens == expected);
    }
    RC_ASSERT(runner_->broken_plans() == 0U);
    RC_ASSERT(runner_->most_tokens_held() <= 160U);
    harness_->destroy_engine();
    RC_ASSERT(runner_->sequences_held() == 0U);
    RC_ASSERT(runner_->adapters().empty());
  }

 private:
  // A new text, or one that begins as an earlier one and goes on differently.
  std::vector<TokenId> prompt() {
    std::vector<TokenId> out;
    if (!asked_.empty() && *rc::gen::inRange(0, 3) > 0) {
      const auto pick = std::next(asked_.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(asked_)));
      out = pick->second.prompt;
      out.resize(*rc::gen::inRange<std::size_t>(0, out.size() + 1));
    }
    const std::size_t more = *rc::gen::inRange<std::size_t>(1, 20);
    for (std::size_t i = 0; i < more; ++i) out.emplace_back(*rc::gen::inRange('a', 'e'));
    if (out.size() > 60) out.resize(60);
    return out;
  }

  void submit() {
    Asked asked{prompt(), *rc::gen::inRange<std::size_t>(1, 14), *rc::gen::inRange(0, 4) == 0 ? 3U : 1U,
                *rc::gen::inRange(0, 3) == 0 ? adapter_ : AdapterId()};
    GenerationRequest request;
    request.prompt = asked.prompt;
    request.max_new_tokens = asked.most;
    request.beams = asked.beams;
    request.adapter = asked.adapter;
    request.session = std::string(1, *rc::gen::inRange('p', 's'));
    request.request_class = static_cast<RequestClass>(*rc::gen::inRange(0, 3));
    asked_.emplace(harness_->submit(std::move(request)), std::move(asked));
  }

  void cancel() {
    const auto pick = std::next(asked_.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(asked_)));
    harness_->cancel(pick->first);
  }

  std::shared_ptr<FakeRunner> runner_;
  std::unique_ptr<EngineHarness> harness_;
  AdapterId adapter_;
  std::map<RequestId, Asked> asked_;
};

RC_GTEST_PROP(EngineProperty, WhatIsSharedEvictedOrPreemptedChangesNoText, ()) {
  RandomRun run;
  const int actions = *rc::gen::inRange(1, 120);
  for (int i = 0; i < actions; ++i) run.act();
  run.check();
}

// The cache against a plain list of what was inserted.
RC_GTEST_PROP(PrefixCacheProperty, FindsWhatAPlainListFinds, ()) {
  std::uint64_t last = 1000;
  generation::PrefixCache cache([&last] { return SequenceId(++last); });
  std::vector<std::vector<TokenId>> inserted;
  std::map<SequenceId, bool> alive;
  const auto text = [] {
    std::vector<TokenId> out;
    const int length = *rc::gen::inRange(1, 9);
    for (int i = 0; i < length; ++i) out.emplace_back(*rc::gen::inRange(0, 3));
    return out;
  };
  const auto apply = [&] {
    const generation::SequenceMoves moves = cache.take_moves();
    for (const model::Fork& fork : moves.forks) {
      RC_ASSERT(alive.at(fork.from));
      alive[fork.to] = true;
    }
    for (const SequenceId id : moves.released) {
      RC_ASSERT(alive.at(id));
      alive[id] = false;
    }
  };
  const int actions = *rc::gen::inRange(1, 80);
  for (int i = 0; i < actions; ++i) {
    const std::vector<TokenId> tokens = text();
    std::size_t expected = 0;
    for (const auto& each : inserted) {
      expected = std::max(expected, static_cast<std::size_t>(std::ranges::mismatch(each, tokens).in1 - each.begin()));
    }
    const auto match = cache.match(AdapterId(), tokens);
    RC_ASSERT(match.length == expected);
    if (match.length > 0 && !cache.has_moves()) RC_ASSERT(alive.at(match.sequence));
    if (*rc::gen::inRange(0, 6) == 0) {
      cache.evict(*rc::gen::inRange<std::size_t>(1, 12));
      inserted.clear();
      for (const auto& path : cache.paths()) inserted.push_back(path.tokens);
    } else {
      const SequenceId id(++last);
      alive[id] = true;
      cache.insert(AdapterId(), tokens, id);
      inserted.push_back(tokens);
    }
    if (*rc::gen::inRange(0, 2) == 0) apply();
    cache.check_invariants();
  }
  cache.clear();
  apply();
  for (const auto& [id, lives] : alive) RC_ASSERT(!lives);
}

}  // namespace
}  // namespace weft::test
