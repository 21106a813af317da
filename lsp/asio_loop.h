// AsioLoop: the Loop of the real daemon, one io_context that one thread runs.
#pragma once

#include <map>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "lsp/loop.h"

namespace weft::lsp {

class AsioLoop final : public Loop {
 public:
  void post(Task task) override;
  TimerId after(std::chrono::milliseconds delay, Task task) override;
  void cancel_timer(TimerId id) override { timers_.erase(id); }

  // Until `stop`, on the calling thread, which is the I/O thread from then on.
  void run();
  void run_one();                   // waits for one task or timer
  void stop() { context_.stop(); }  // thread-safe
  [[nodiscard]] boost::asio::io_context& context() { return context_; }

 private:
  boost::asio::io_context context_{1};
  // The loop does not end for want of work: some is always on its way from another thread.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  std::map<TimerId, boost::asio::steady_timer> timers_;
  TimerId next_timer_ = 1;
};

}  // namespace weft::lsp
