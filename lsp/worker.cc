#include "lsp/worker.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace weft::lsp {

struct Worker::State {
  struct Waiting {
    RequestId id;
    Job job;
  };

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Waiting> queue;
  RequestId running{0};            // 0: none
  bool running_cancelled = false;  // while it ran
  bool running_over = false;       // what it left has ended before it had returned
  std::map<RequestId, Stop> left;  // under way elsewhere
  std::uint64_t last_id = 0;
  bool closing = false;

  void over(RequestId id) {
    const std::lock_guard lock(mutex);
    if (id == running) running_over = true;
    left.erase(id);
  }
};

Worker::Worker() : state_(std::make_shared<State>()), thread_([this] { work(); }) {}

Worker::~Worker() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
    state_->changed.notify_all();
  }
  thread_.join();
  for (State::Waiting& waiting : state_->queue) {
    if (waiting.job.drop) waiting.job.drop();
  }
}

RequestId Worker::submit(Job job) {
  const std::lock_guard lock(state_->mutex);
  const RequestId id(++state_->last_id);
  state_->queue.push_back({id, std::move(job)});
  state_->changed.notify_all();
  return id;
}

void Worker::cancel(RequestId id) {
  std::optional<Job> dropped;
  Stop stop;
  {
    const std::lock_guard lock(state_->mutex);
    if (id == state_->running) state_->running_cancelled = true;
    if (const auto found = state_->left.find(id); found != state_->left.end()) stop = found->second;
    for (auto waiting = state_->queue.begin(); waiting != state_->queue.end(); ++waiting) {
      if (waiting->id != id) continue;
      dropped = std::move(waiting->job);
      state_->queue.erase(waiting);
      break;
    }
  }
  if (stop) stop();
  if (dropped && dropped->drop) dropped->drop();
}

void Worker::work() {
  for (;;) {
    std::optional<State::Waiting> next;
    {
      std::unique_lock lock(state_->mutex);
      state_->changed.wait(lock, [this] { return state_->closing || !state_->queue.empty(); });
      if (state_->closing) return;
      next = std::move(state_->queue.front());
      state_->queue.pop_front();
      state_->running = next->id;
      state_->running_cancelled = state_->running_over = false;
    }
    run(next->id, std::move(next->job));
  }
}

void Worker::run(RequestId id, Job job) {
  Stop stop;
  try {
    stop = job.run([state = state_, id] { state->over(id); });
  } catch (const std::exception& error) {
    if (job.failed) job.failed(Error{error.what()});
  }
  bool cancelled = false;
  {
    const std::lock_guard lock(state_->mutex);
    cancelled = state_->running_cancelled;
    state_->running = RequestId(0);
    if (stop && !state_->running_over) state_->left[id] = stop;
  }
  if (cancelled && stop) stop();
}

}  // namespace weft::lsp
