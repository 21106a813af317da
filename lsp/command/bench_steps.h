// TimedSteps: a runner's steps over a made-up text, timed. Main thread only.
#pragma once

#include <cstdint>
#include <vector>

#include "model/base/clock.h"
#include "model/base/expected.h"
#include "model/runner.h"

namespace weft::lsp {

// Each measure begins with nothing held. The text's tokens are numbers that every open code model has, the same each
// time.
class TimedSteps {
 public:
  TimedSteps(model::ModelRunner& runner, const Clock& clock) : runner_(runner), clock_(clock) {}

  Expected<double> prefill(std::int64_t tokens);                      // seconds to the first token
  Expected<double> decode(std::int64_t context, std::int64_t steps);  // seconds of the steps of one token behind it
  // Seconds of each time that `tokens` more arrive and are computed.
  Expected<std::vector<double>> keystrokes(std::int64_t context, std::int64_t tokens, std::int64_t times);

  // The likeliest token after the last one.
  [[nodiscard]] std::int64_t argmax() const { return argmax_; }

 private:
  Expected<void> begin(std::int64_t context);
  Expected<void> feed(std::int64_t tokens);
  Expected<double> timed(std::int64_t steps, std::int64_t tokens);

  model::ModelRunner& runner_;
  const Clock& clock_;
  std::int64_t held_ = 0;  // tokens of the text that the runner holds
  std::int64_t argmax_ = 0;
};

}  // namespace weft::lsp
