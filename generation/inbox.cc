#include "generation/inbox.h"

#include <utility>

#include <fmt/format.h>

namespace weft::generation {

RequestId Inbox::submit(Submission submission) {
  const std::lock_guard lock(mutex_);
  const RequestId id(++last_id_);
  submission.id = id;
  if (submission.refusal.empty() && unfinished_ >= request_limit_) {
    submission.refusal = fmt::format("the engine's queue is full: {} requests are unfinished", unfinished_);
  }
  if (submission.refusal.empty()) ++unfinished_;
  messages_.emplace_back(std::move(submission));
  arrived_.notify_one();
  return id;
}

void Inbox::post(Message message) {
  const std::lock_guard lock(mutex_);
  messages_.push_back(std::move(message));
  arrived_.notify_one();
}

void Inbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  arrived_.notify_one();
}

void Inbox::count_finished() {
  const std::lock_guard lock(mutex_);
  --unfinished_;
}

std::vector<Message> Inbox::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(messages_, {});
}

bool Inbox::empty() const {
  const std::lock_guard lock(mutex_);
  return messages_.empty();
}

bool Inbox::wait_for_message() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return closed_ || !messages_.empty(); });
  return !closed_;
}

bool Inbox::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

}  // namespace weft::generation
