#include "adapters/train/example_sampler.h"

#include <numeric>
#include <utility>

#include "adapters/data/random.h"
#include "model/base/check.h"

namespace weft::adapters {

ExampleSampler::ExampleSampler(std::span<const TokenExample> examples, std::uint64_t seed, RowSamplerState state)
    : examples_(examples), seed_(seed), state_(state) {
  WEFT_CHECK(!examples.empty());
  shuffle();
}

void ExampleSampler::shuffle() {
  order_.resize(examples_.size());
  std::iota(order_.begin(), order_.end(), 0U);
  Random random(seed_, 0xE8A3U, state_.epoch);
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.below(i)]);
}

std::vector<const TokenExample*> ExampleSampler::next(std::size_t tokens) {
  std::vector<const TokenExample*> out;
  for (std::size_t held = 0;;) {
    const TokenExample& example = examples_[order_[state_.chunk]];
    held += example.tokens();
    if (!out.empty() && held > tokens) return out;
    out.push_back(&example);
    if (++state_.chunk < order_.size()) continue;
    state_.chunk = 0;
    ++state_.epoch;
    shuffle();
  }
}

}  // namespace weft::adapters
