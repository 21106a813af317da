#include "generation/spelling.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "generation/sampling.h"

namespace weft::generation {
namespace {

// Logits that a search reads before it takes what comes to an end soonest: each costs a step of the model.
constexpr std::size_t kMostRead = 8;

float logit_of(std::span<const float> logits, TokenId token) {
  const auto index = static_cast<std::size_t>(token.value());
  const float logit = index < logits.size() ? logits[index] : -std::numeric_limits<float>::infinity();
  return std::isfinite(logit) ? logit : -std::numeric_limits<float>::infinity();
}

}  // namespace

void forbid(std::span<float> logits, std::string_view characters, std::size_t at, const model::Tokenizer& tokenizer) {
  if (characters.empty()) return;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!std::isfinite(logits[i])) continue;
    const std::string_view bytes = tokenizer.bytes(TokenId(static_cast<std::int32_t>(i)));
    if (at < bytes.size() && characters.find(bytes[at]) != std::string_view::npos) {
      logits[i] = -std::numeric_limits<float>::infinity();
    }
  }
}

bool Spelling::goes_before(const Way& a, const Way& b) const {
  if (read_ >= kMostRead) {
    if (a.ends != b.ends) return a.ends;
    if (!a.ends && a.spelled != b.spelled) return a.spelled > b.spelled;
  }
  return a.logprob > b.logprob;
}

bool Spelling::read(std::span<const float> logits, const model::Tokenizer& tokenizer, const model::PrefixTrie& trie) {
  if (tried_.ends) return true;  // it was chosen when the sequence was elsewhere
  ++read_;
  const double normaliser = log_sum_exp(logits);
  const auto allowed = trie.allowed(rest());
  std::vector<float> ending;
  for (const TokenId token : allowed.extensions) {
    const std::string_view behind = tokenizer.bytes(token).substr(rest().size());
    if (behind.empty() || not_first_.find(behind.front()) == std::string::npos) {
      ending.push_back(logit_of(logits, token));
    }
  }
  Way end = tried_;
  end.ends = true;
  end.logprob += log_sum_exp(ending) - normaliser;
  const std::vector<TokenId> here = tried_.tokens;
  if (std::isfinite(end.logprob)) open_.push_back(std::move(end));
  for (const TokenId part : allowed.parts) {
    Way longer = tried_;
    longer.tokens.push_back(part);
    longer.spelled += tokenizer.bytes(part).size();
    longer.logprob += logit_of(logits, part) - normaliser;
    if (std::isfinite(longer.logprob)) open_.push_back(std::move(longer));
  }
  const auto best = std::ranges::min_element(open_, [this](const Way& a, const Way& b) { return goes_before(a, b); });
  impossible_ = best == open_.end();
  if (impossible_) return false;
  tried_ = std::move(*best);
  open_.erase(best);
  return tried_.ends && tried_.tokens == here;
}

std::vector<float> Spelling::endings(std::span<const float> logits, const model::PrefixTrie& trie) const {
  std::vector<float> out(logits.size(), -std::numeric_limits<float>::infinity());
  for (const TokenId token : trie.allowed(rest()).extensions) {
    const auto index = static_cast<std::size_t>(token.value());
    if (index < out.size()) out[index] = logits[index];
  }
  return out;
}

}  // namespace weft::generation
