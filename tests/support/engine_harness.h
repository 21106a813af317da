// EngineHarness: an engine over a watched runner, and a record of every event. Waits by polling in sync mode, by a
// condition in threaded mode. Submitting and waiting on the test's thread or any other; the record is thread-safe.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "generation/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/watched_runner.h"

namespace weft::test {

class EngineHarness {
 public:
  EngineHarness(std::shared_ptr<model::ModelRunner> runner, std::shared_ptr<const model::Tokenizer> tokenizer,
                generation::EngineOptions options);

  RequestId submit(generation::GenerationRequest request);
  void cancel(RequestId id) { engine_->cancel(id); }
  // The final event; waits for it.
  generation::GenerationResult wait(RequestId id);
  generation::GenerationResult generate(generation::GenerationRequest request) {
    return wait(submit(std::move(request)));
  }
  // What came of it; waits for it.
  Expected<AdapterId> install(std::shared_ptr<const model::LoraAdapter> adapter);
  // Until the engine thread stands at the closed gate; in sync mode there is nothing to wait for.
  void wait_until_held();
  // Ends the engine; what was recorded stays.
  void destroy_engine() { engine_.reset(); }

  [[nodiscard]] std::size_t final_events(RequestId id) const;
  [[nodiscard]] std::vector<RequestId> finished() const;  // in the order of their final events
  [[nodiscard]] std::vector<std::string> texts(RequestId id) const;

  [[nodiscard]] generation::Engine& engine() { return *engine_; }
  [[nodiscard]] WatchedRunner& runner() { return *runner_; }
  [[nodiscard]] FakeClock& clock() { return *clock_; }

 private:
  struct Record {
    mutable std::mutex mutex;
    std::condition_variable changed;
    std::vector<RequestId> finished;
    std::map<RequestId, generation::GenerationResult> results;
    std::map<RequestId, std::vector<std::string>> texts;
  };
  const std::shared_ptr<Record> record_ = std::make_shared<Record>();
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  const std::shared_ptr<WatchedRunner> runner_;
  const bool sync_;
  std::unique_ptr<generation::Engine> engine_;
};

}  // namespace weft::test
