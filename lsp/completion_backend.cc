// The real backend hands requests to a thread of its own: reading the place and assembling the prompt take time that
// grows with the document, and the I/O thread has none to spare.
#include "lsp/completion_backend.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace weft::lsp {
namespace {

class ServiceBackend final : public CompletionBackend {
 public:
  explicit ServiceBackend(std::unique_ptr<generation::CompletionService> service)
      : service_(std::move(service)), worker_([this] { work(); }) {}

  ~ServiceBackend() override {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      changed_.notify_all();
    }
    worker_.join();
    for (Job& job : queue_) finish_cancelled(job);
  }

  RequestId complete(generation::CompletionRequest request, Done done) override {
    const std::lock_guard lock(mutex_);
    const RequestId id(++last_id_);
    queue_.push_back({id, std::move(request), std::move(done)});
    changed_.notify_all();
    return id;
  }

  void cancel(RequestId id) override {
    std::optional<Job> dropped;
    {
      const std::lock_guard lock(mutex_);
      if (id == preparing_) preparing_cancelled_ = true;
      if (const auto found = submitted_.find(id); found != submitted_.end()) service_->cancel(found->second);
      for (auto job = queue_.begin(); job != queue_.end(); ++job) {
        if (job->id != id) continue;
        dropped = std::move(*job);
        queue_.erase(job);
        break;
      }
    }
    if (dropped) finish_cancelled(*dropped);
  }

 private:
  struct Job {
    RequestId id;
    generation::CompletionRequest request;
    Done done;
  };

  // What the service's callbacks still need when this is gone.
  struct Finished {
    std::mutex mutex;
    std::deque<RequestId> ids;
  };

  static void finish_cancelled(Job& job) {
    generation::CompletionResult result;
    result.cancelled = true;
    result.reason = "cancelled";
    job.done(std::move(result));
  }

  void work() {
    for (;;) {
      std::optional<Job> job;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
        if (closing_) return;
        job = std::move(queue_.front());
        queue_.pop_front();
        preparing_ = job->id;
        preparing_cancelled_ = false;
        forget_finished();
      }
      submit(std::move(*job));
    }
  }

  void submit(Job job) {
    const auto answer = [finished = finished_, id = job.id, answered = std::make_shared<std::atomic<bool>>(false),
                         done = std::move(job.done)](Expected<generation::CompletionResult> result) {
      if (answered->exchange(true)) return;
      {
        const std::lock_guard lock(finished->mutex);
        finished->ids.push_back(id);
      }
      done(std::move(result));
    };
    RequestId service_id{0};
    try {
      service_id = service_->complete(std::move(job.request), answer);
    } catch (const std::exception& error) {  // the wall of this thread
      answer(make_error("preparing a completion failed: {}", error.what()));
    }
    const std::lock_guard lock(mutex_);
    preparing_ = RequestId(0);
    submitted_[job.id] = service_id;
    if (preparing_cancelled_) service_->cancel(service_id);
  }

  // With mutex_ held.
  void forget_finished() {
    const std::lock_guard lock(finished_->mutex);
    for (const RequestId id : finished_->ids) submitted_.erase(id);
    finished_->ids.clear();
  }

  const std::unique_ptr<generation::CompletionService> service_;
  const std::shared_ptr<Finished> finished_ = std::make_shared<Finished>();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  std::map<RequestId, RequestId> submitted_;  // ours to the service's; those that finished linger until the next job
  RequestId preparing_{0};                    // on the worker just now; 0: none
  bool preparing_cancelled_ = false;
  bool closing_ = false;
  std::uint64_t last_id_ = 0;
  std::thread worker_;  // last: it uses all of the above
};

}  // namespace

std::shared_ptr<CompletionBackend> make_backend(std::unique_ptr<generation::CompletionService> service) {
  return std::make_shared<ServiceBackend>(std::move(service));
}

}  // namespace weft::lsp
