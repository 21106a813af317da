#include "tests/support/engine_harness.h"

#include <algorithm>
#include <future>
#include <utility>

namespace weft::test {

using generation::GenerationResult;

EngineHarness::EngineHarness(std::shared_ptr<model::ModelRunner> runner,
                             std::shared_ptr<const model::Tokenizer> tokenizer, generation::EngineOptions options)
    : runner_(std::make_shared<WatchedRunner>(std::move(runner))),
      sync_(options.threads == 0),
      engine_(std::make_unique<generation::Engine>(runner_, std::move(tokenizer), clock_, options)) {}

RequestId EngineHarness::submit(generation::GenerationRequest request) {
  const auto on_text = [record = record_](const generation::TextSoFar& so_far) {
    const std::lock_guard lock(record->mutex);
    record->texts[so_far.id].emplace_back(so_far.text);
  };
  const auto on_done = [record = record_](GenerationResult result) {
    const std::lock_guard lock(record->mutex);
    record->finished.push_back(result.id);
    record->results.insert_or_assign(result.id, std::move(result));
    record->changed.notify_all();
  };
  return engine_->submit(std::move(request), {on_text, on_done});
}

GenerationResult EngineHarness::wait(RequestId id) {
  if (sync_) {
    while (final_events(id) == 0) {
      const bool more = engine_->poll();
      WEFT_CHECK(more || final_events(id) > 0);  // else this request would never end
    }
  }
  std::unique_lock lock(record_->mutex);
  record_->changed.wait(lock, [&] { return record_->results.contains(id); });
  return record_->results.at(id);
}

Expected<AdapterId> EngineHarness::install(std::shared_ptr<const model::LoraAdapter> adapter) {
  const auto installed = std::make_shared<std::promise<Expected<AdapterId>>>();
  auto result = installed->get_future();
  engine_->install_adapter(std::move(adapter),
                           [installed](Expected<AdapterId> id) { installed->set_value(std::move(id)); });
  if (sync_) engine_->poll();
  return result.get();
}

void EngineHarness::wait_until_held() {
  if (!sync_) runner_->gate().wait_until_held();
}

std::size_t EngineHarness::final_events(RequestId id) const {
  const std::lock_guard lock(record_->mutex);
  return static_cast<std::size_t>(std::ranges::count(record_->finished, id));
}

std::vector<RequestId> EngineHarness::finished() const {
  const std::lock_guard lock(record_->mutex);
  return record_->finished;
}

std::vector<std::string> EngineHarness::texts(RequestId id) const {
  const std::lock_guard lock(record_->mutex);
  const auto found = record_->texts.find(id);
  return found == record_->texts.end() ? std::vector<std::string>() : found->second;
}

}  // namespace weft::test
