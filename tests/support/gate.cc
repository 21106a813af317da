#include "tests/support/gate.h"

namespace weft::test {

void Gate::close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  tickets_ = 0;
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Gate::let_through(std::size_t count) {
  const std::lock_guard lock(mutex_);
  tickets_ += count;
  changed_.notify_all();
}

void Gate::pass() {
  std::unique_lock lock(mutex_);
  ++held_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return open_ || tickets_ > 0; });
  if (!open_) --tickets_;
  --held_;
}

// Somebody who was let through but has not woken yet is no longer held.
void Gate::wait_until_held() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !open_ && held_ > tickets_; });
}

}  // namespace weft::test
