#include "adapters/actions/runs.h"

#include <utility>

namespace weft::adapters {
namespace {

using generation::FinishReason;
using generation::GenerationResult;

}  // namespace

RequestId Runs::open() {
  const std::lock_guard lock(mutex_);
  const RequestId id(++last_id_);
  runs_.emplace(id, Run{});
  return id;
}

bool Runs::stopped(RequestId run) const {
  const std::lock_guard lock(mutex_);
  const auto found = runs_.find(run);
  return found == runs_.end() || found->second.cancelled;
}

void Runs::generate(RequestId run, generation::GenerationRequest request, Next next) {
  if (stopped(run)) return next(make_error("cancelled"));
  generation::EventSink sink;
  sink.on_done = [self = shared_from_this(), run, next = std::move(next)](GenerationResult result) {
    if (result.reason == FinishReason::kCancelled || self->stopped(run)) return next(make_error("cancelled"));
    if (result.reason == FinishReason::kFailed) return next(Error{std::move(result.error)});
    next(std::move(result));
  };
  const RequestId engine_id = engine_.submit(std::move(request), std::move(sink));
  bool cancelled_meanwhile = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = runs_.find(run);
    if (found == runs_.end()) return;  // it has ended already
    found->second.engine_ids.push_back(engine_id);
    cancelled_meanwhile = found->second.cancelled;
  }
  if (cancelled_meanwhile) engine_.cancel(engine_id);
}

void Runs::close(RequestId run) {
  const std::lock_guard lock(mutex_);
  runs_.erase(run);
}

void Runs::cancel(std::optional<RequestId> run) {
  std::vector<RequestId> engine_ids;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, each] : runs_) {
      if (run && id != *run) continue;
      each.cancelled = true;
      engine_ids.insert(engine_ids.end(), each.engine_ids.begin(), each.engine_ids.end());
    }
  }
  for (const RequestId id : engine_ids) engine_.cancel(id);
}

}  // namespace weft::adapters
