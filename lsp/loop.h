// Loop: the I/O thread as the rest of lsp/ sees it, so that tests hold it in their hand. `post` is thread-safe, the
// rest is for the I/O thread. Tasks run on the I/O thread in the order of posting.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace weft::lsp {

class Loop {
 public:
  using Task = std::function<void()>;
  using TimerId = std::uint64_t;

  virtual ~Loop() = default;
  // After the loop has ended, tasks are dropped.
  virtual void post(Task task) = 0;
  virtual TimerId after(std::chrono::milliseconds delay, Task task) = 0;
  virtual void cancel_timer(TimerId id) = 0;  // fired or unknown ids are ignored
};

}  // namespace weft::lsp
