// Worker: a thread for what takes time that grows with a document: parsing, diffs, prompts. The I/O thread has none to
// spare. Jobs run one after the other in the order in which they come. A job may leave something under way elsewhere, a
// request of a service; cancelling finds it in either place. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "model/base/expected.h"
#include "model/base/strong_id.h"

namespace weft::lsp {

class Worker {
 public:
  // Stops what a job left under way. Empty: it left nothing.
  using Stop = std::function<void()>;
  struct Job {
    // On the worker's thread. What goes on after it calls `over` when it has ended, on any thread.
    std::function<Stop(std::function<void()> over)> run;
    std::function<void()> drop;                // instead of `run`, when it was cancelled before; may be empty
    std::function<void(const Error&)> failed;  // `run` threw: the wall of this thread; may be empty
  };

  Worker();
  // Lets the running job end, and drops those that wait.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  RequestId submit(Job job);
  // Drops a job that waits, on the calling thread; stops what one that has run left under way, now or once it has run.
  // Unknown and finished ids are ignored.
  void cancel(RequestId id);

 private:
  struct State;  // also held by `over`, which may be called when this is gone

  void work();
  void run(RequestId id, Job job);

  const std::shared_ptr<State> state_;
  std::thread thread_;  // last: it uses the state
};

}  // namespace weft::lsp
