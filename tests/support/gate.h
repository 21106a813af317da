// Gate: holds whoever passes it while it is closed, so that a test decides in which order threads go on. Open at first.
// Thread-safe. Open it before what it holds is destroyed.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace weft::test {

class Gate {
 public:
  void close();
  void open();
  // Lets `count` pass although it is closed.
  void let_through(std::size_t count = 1);
  // Blocks while closed.
  void pass();
  // Until somebody is held. Returns at once when somebody already is.
  void wait_until_held();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  std::size_t tickets_ = 0, held_ = 0;
};

}  // namespace weft::test
