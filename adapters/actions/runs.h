// Runs: the actions under way, each a chain of generations in which one follows from the other. What the engine's sinks
// hold is Runs, which does not own the engine: an engine must not be destroyed on its own thread. Thread-safe.
//
// A chain goes on only in the callback of its last generation, and each callback is called exactly once, also when the
// engine ends: so each chain comes to its one end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "generation/engine.h"
#include "model/base/expected.h"

namespace weft::adapters {

class Runs : public std::enable_shared_from_this<Runs> {
 public:
  // An error: the generation failed, or "cancelled".
  using Next = std::function<void(Expected<generation::GenerationResult>)>;

  // `engine` is used by its owner and in the engine's own callbacks, so it is there whenever it is used.
  explicit Runs(generation::Engine& engine) : engine_(engine) {}

  [[nodiscard]] RequestId open();
  // `next` exactly once: on the engine thread, or at once when the run is cancelled.
  void generate(RequestId run, generation::GenerationRequest request, Next next);
  void close(RequestId run);
  // Nothing: all of them. Unknown ids are ignored.
  void cancel(std::optional<RequestId> run);

  [[nodiscard]] const model::Tokenizer& tokenizer() const { return engine_.tokenizer(); }
  [[nodiscard]] std::size_t max_positions() const { return engine_.model_info().max_positions; }

 private:
  struct Run {
    std::vector<RequestId> engine_ids;  // of all its generations so far: the engine ignores those that have ended
    bool cancelled = false;
  };
  [[nodiscard]] bool stopped(RequestId run) const;

  generation::Engine& engine_;
  mutable std::mutex mutex_;
  std::map<RequestId, Run> runs_;
  std::uint64_t last_id_ = 0;
};

}  // namespace weft::adapters
