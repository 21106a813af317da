// FakeBackend: a fake for tests, no completion service behind it. It holds every request until the test answers it, so
// that a test decides what is under way when something else comes. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lsp/completion_backend.h"

namespace weft::test {

class FakeBackend final : public lsp::CompletionBackend {
 public:
  RequestId complete(generation::CompletionRequest request, Done done) override;
  // Recorded; the request stays open until the test answers it, as an engine in the middle of a step does.
  void cancel(RequestId id) override { cancelled_.push_back(id.value()); }

  void file_changed(const std::string& path) override { changed_files_.push_back(path); }
  [[nodiscard]] std::vector<generation::MemoryState> memory_state() const override { return memory_; }

  [[nodiscard]] const std::vector<std::string>& changed_files() const { return changed_files_; }
  void set_memory(std::vector<generation::MemoryState> memory) { memory_ = std::move(memory); }
  // Requests so far are numbered from 0.
  [[nodiscard]] const std::vector<generation::CompletionRequest>& requests() const { return requests_; }
  [[nodiscard]] bool was_cancelled(std::size_t request) const;
  void answer(std::size_t request, Expected<generation::CompletionResult> result);
  // One item that stands at the request's cursor.
  void answer(std::size_t request, const std::string& text);
  // As an engine does for a cancelled request.
  void answer_cancelled(std::size_t request);

 private:
  std::vector<generation::CompletionRequest> requests_;
  std::map<std::size_t, Done> open_;
  std::vector<std::uint64_t> cancelled_;
  std::vector<std::string> changed_files_;
  std::vector<generation::MemoryState> memory_;
};

}  // namespace weft::test
