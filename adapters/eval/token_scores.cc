#include "adapters/eval/token_scores.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

namespace weft::adapters {
namespace {

constexpr SequenceId kSequence{~std::uint64_t{0}};  // far from those that an engine counts up
constexpr std::size_t kBytesPerToken = 16;          // more than a tokenizer of code reaches on average

struct Score {
  double bits;
  bool right;
};

// logits: [V]
Score score(std::span<const float> logits, TokenId next) {
  const auto best = std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - static_cast<double>(*best));
  const auto index = static_cast<std::size_t>(next.value());
  const double log_probability = static_cast<double>(logits[index]) - static_cast<double>(*best) - std::log(sum);
  return {-log_probability / std::numbers::ln2, static_cast<std::size_t>(best - logits.begin()) == index};
}

}  // namespace

Expected<void> TokenScorer::add(std::string_view text, std::size_t window_tokens) {
  std::vector<TokenId> tokens = tokenizer_->encode(text.substr(0, window_tokens * kBytesPerToken));
  tokens.resize(std::min({tokens.size(), window_tokens, runner_->info().max_positions}));
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    model::StepPlan plan;
    plan.sequences.push_back({kSequence, Position(static_cast<std::int32_t>(i)), {tokens[i]}, true});
    const auto result = runner_->step(plan);
    if (!result) return result.error();
    if (result->out_of_memory)
      return make_error("the model has no memory left for a window of {} tokens", window_tokens);
    const TokenId next = tokens[i + 1];
    if (static_cast<std::size_t>(next.value()) >= result->vocabulary) {
      return make_error("token {} is outside of the model's vocabulary of {}", next.value(), result->vocabulary);
    }
    const Score scored = score(result->row(0), next);
    if (!std::isfinite(scored.bits)) return make_error("the model gave no finite logits after {} tokens", i + 1);
    scores_.bits += scored.bits;
    scores_.right += scored.right ? 1 : 0;
    scores_.bytes += tokenizer_->bytes(next).size();
    ++scores_.tokens;
  }
  return {};
}

Expected<TokenScores> TokenScorer::finish() {
  const auto released = runner_->step({.sequences = {}, .released = {kSequence}});
  if (!released) return released.error();
  return scores_;
}

}  // namespace weft::adapters
