#include "lsp/command/bench_steps.h"

#include <algorithm>
#include <utility>

#include "generation/scheduler.h"

namespace weft::lsp {
namespace {

constexpr SequenceId kSequence{1};

TokenId token_at(std::int64_t index, std::size_t vocabulary) {
  const std::int64_t id = 1000 + (index * 7919 + 12345) % 50000;
  return TokenId(static_cast<std::int32_t>(id % static_cast<std::int64_t>(vocabulary)));
}

}  // namespace

Expected<void> TimedSteps::begin(std::int64_t context) {
  held_ = 0;
  if (const auto released = runner_.step({.sequences = {}, .released = {kSequence}}); !released)
    return released.error();
  return context > 0 ? feed(context) : Expected<void>();
}

Expected<void> TimedSteps::feed(std::int64_t tokens) {
  constexpr auto kChunk = static_cast<std::int64_t>(generation::SchedulerBudget{}.tokens);
  for (std::int64_t end = held_ + tokens; held_ < end;) {
    model::StepSequence part{kSequence, Position(static_cast<std::int32_t>(held_)), {}};
    for (const std::int64_t stop = std::min(held_ + kChunk, end); held_ < stop; ++held_) {
      part.tokens.push_back(token_at(held_, runner_.info().vocabulary));
    }
    const auto result = runner_.step({.sequences = {std::move(part)}});
    if (!result) return result.error();
    const auto row = result->row(0);
    argmax_ = std::ranges::max_element(row) - row.begin();
  }
  return {};
}

Expected<double> TimedSteps::timed(std::int64_t steps, std::int64_t tokens) {
  const TimePoint start = clock_.now();
  for (std::int64_t i = 0; i < steps; ++i) {
    if (auto fed = feed(tokens); !fed) return fed.error();
  }
  return milliseconds_between(start, clock_.now()) / 1000;
}

Expected<double> TimedSteps::prefill(std::int64_t tokens) {
  if (auto ready = begin(0); !ready) return ready.error();
  return timed(1, tokens);
}

Expected<double> TimedSteps::decode(std::int64_t context, std::int64_t steps) {
  if (auto ready = begin(context); !ready) return ready.error();
  return timed(steps, 1);
}

Expected<std::vector<double>> TimedSteps::keystrokes(std::int64_t context, std::int64_t tokens, std::int64_t times) {
  if (auto ready = begin(context); !ready) return ready.error();
  std::vector<double> out;
  for (std::int64_t i = 0; i < times; ++i) {
    const auto seconds = timed(1, tokens);
    if (!seconds) return seconds.error();
    out.push_back(*seconds);
  }
  return out;
}

}  // namespace weft::lsp
