#include "lsp/asio_loop.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace weft::lsp {

void AsioLoop::post(Task task) { boost::asio::post(context_, std::move(task)); }

Loop::TimerId AsioLoop::after(std::chrono::milliseconds delay, Task task) {
  const TimerId id = next_timer_++;
  const auto [timer, inserted] = timers_.emplace(id, boost::asio::steady_timer(context_, delay));
  timer->second.async_wait([this, id, task = std::move(task)](const boost::system::error_code& code) {
    if (code) return;                    // cancelled by being erased
    if (timers_.erase(id) == 0) return;  // cancelled when it had already expired
    task();
  });
  return id;
}

void AsioLoop::run() { context_.run(); }

void AsioLoop::run_one() { context_.run_one(); }

}  // namespace weft::lsp
