// Inbox: what other threads want of the engine. Messages are taken in the order of arrival. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "generation/engine.h"

namespace weft::generation {

struct Submission {
  RequestId id;
  GenerationRequest request;
  EventSink sink;
  TimePoint submitted;
  std::string refusal;  // not empty: the request fails with this error before it starts
};

struct Cancellation {
  RequestId id;
};

struct Installation {
  std::shared_ptr<const model::LoraAdapter> adapter;
  std::function<void(Expected<AdapterId>)> done;
};

struct Removal {
  AdapterId id;
};

using Message = std::variant<Submission, Cancellation, Installation, Removal>;

class Inbox {
 public:
  explicit Inbox(std::size_t request_limit) : request_limit_(request_limit) {}

  // Gives the id, and a refusal when as many requests as the limit are unfinished.
  RequestId submit(Submission submission);
  void post(Message message);  // of the other kinds
  // No more work is wanted; what has arrived and what still arrives can be taken.
  void close();

  // To be called once for each submission that was not refused, when it is finished.
  void count_finished();
  [[nodiscard]] std::vector<Message> take();
  [[nodiscard]] bool empty() const;
  // Blocks until there is a message; false once closed.
  [[nodiscard]] bool wait_for_message();
  [[nodiscard]] bool closed() const;

 private:
  const std::size_t request_limit_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Message> messages_;
  std::uint64_t last_id_ = 0;
  std::size_t unfinished_ = 0;
  bool closed_ = false;
};

}  // namespace weft::generation
