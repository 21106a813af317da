// Workers: the threads that kernels share their work among, as whoever calls them has them. Serving has a ThreadPool.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>

#include "model/kernels/cpu_isa.h"

namespace weft::model {

// Fork and join. One caller at a time.
class Workers {
 public:
  virtual ~Workers() = default;
  [[nodiscard]] virtual int size() const = 0;  // threads, the caller's own included
  // Calls task(0) … task(tasks - 1), each once, on any thread and at the same time or not; returns when all are done
  // and what they wrote is seen by the caller. A thread that waits must not spin without bound.
  virtual void run(int tasks, const std::function<void(int)>& task) = 0;
};

class SerialWorkers final : public Workers {
 public:
  [[nodiscard]] int size() const override { return 1; }
  void run(int tasks, const std::function<void(int)>& task) override {
    for (int i = 0; i < tasks; ++i) task(i);
  }
};

// What a kernel runs on.
struct Cpu {
  Isa isa = Isa::kReference;
  Workers* workers = nullptr;
};

// body(begin, end) over [0, count) in pieces of up to `piece`, handed out as threads become free: a thread that
// something else keeps off its core delays one piece.
template <class Body>
void for_pieces(Workers& workers, std::int64_t count, std::int64_t piece, const Body& body) {
  if (count <= 0) return;
  const std::int64_t pieces = (count + piece - 1) / piece;
  const int threads = static_cast<int>(std::min<std::int64_t>(workers.size(), pieces));
  if (threads <= 1) return body(std::int64_t{0}, count);
  std::atomic<std::int64_t> next{0};
  const auto take = [&](int) {
    for (std::int64_t at = next.fetch_add(piece); at < count; at = next.fetch_add(piece)) {
      body(at, std::min(at + piece, count));
    }
  };
  workers.run(threads, std::ref(take));
}

}  // namespace weft::model
