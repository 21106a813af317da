// await: the answer of something asynchronous over an engine, for callers that have nothing else to do. Blocks; drives
// a sync-mode engine itself. Not on the engine thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "generation/engine.h"
#include "model/base/expected.h"

namespace weft::generation {

// `start` gets what has to be called with the answer, exactly once, on any thread.
template <class T, class Start>
Expected<T> await(Engine& engine, Start start) {
  // Shared with the callback, which may still hold the lock when the answer has been seen.
  struct Answer {
    std::mutex mutex;
    std::condition_variable arrived;
    std::optional<Expected<T>> result;
  };
  const auto answer = std::make_shared<Answer>();
  start([answer](Expected<T> result) {
    const std::lock_guard lock(answer->mutex);
    answer->result = std::move(result);
    answer->arrived.notify_all();
  });
  const auto ready = [&answer] { return answer->result.has_value(); };
  // An engine with its own thread has nothing to poll for; one in sync mode may be polled by somebody else just now.
  for (;;) {
    const bool polled = engine.poll();
    std::unique_lock lock(answer->mutex);
    if (ready() || (!polled && answer->arrived.wait_for(lock, std::chrono::milliseconds(1), ready))) {
      return std::move(*answer->result);
    }
  }
}

}  // namespace weft::generation
