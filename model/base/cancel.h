// CancelFlag: set by whoever no longer wants the work, read by whoever does it. Thread-safe; copies share the flag.
#pragma once

#include <atomic>
#include <memory>

namespace weft {

class CancelFlag {
 public:
  void cancel() { flag_->store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const { return flag_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace weft
