// FakeActionBackend: a fake for tests, no model behind it. It holds every request until the test answers it, so that a
// test decides what is under way when something else comes. The answers are the test's. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lsp/action_backend.h"
#include "lsp/completion_backend.h"

namespace weft::test {

class FakeActionBackend final : public lsp::ActionBackend {
 public:
  struct Call {
    generation::DocumentView document;
    std::variant<adapters::FunctionRequestPlace, adapters::RefactorPlace, generation::ByteRange> about;
  };

  // Installed from now on, in the place of an older one for the task.
  void install(const std::string& task) { adapters_[task] = AdapterId(++last_adapter_); }
  void remove(const std::string& task) { adapters_.erase(task); }

  std::optional<AdapterId> adapter_for(std::string_view task) const override;
  RequestId generate_function(generation::DocumentView document, adapters::FunctionRequestPlace place,
                              adapters::Done<std::vector<adapters::GeneratedFunction>> done) override;
  RequestId refactor(generation::DocumentView document, adapters::RefactorPlace place,
                     adapters::Done<adapters::TextEdit> done) override;
  RequestId find_bugs(generation::DocumentView document, generation::ByteRange changed,
                      adapters::Done<std::vector<adapters::Bug>> done) override;
  // Recorded; the request stays open until the test answers it, as an engine in the middle of a step does.
  void cancel(RequestId id) override { cancelled_.push_back(id.value()); }

  // Calls so far are numbered from 0.
  [[nodiscard]] const std::vector<Call>& calls() const { return calls_; }
  [[nodiscard]] bool was_cancelled(std::size_t call) const;
  void answer_functions(std::size_t call, Expected<std::vector<adapters::GeneratedFunction>> functions);
  void answer_refactor(std::size_t call, Expected<adapters::TextEdit> edit);
  void answer_bugs(std::size_t call, Expected<std::vector<adapters::Bug>> bugs);

 private:
  using AnyDone = std::variant<adapters::Done<std::vector<adapters::GeneratedFunction>>,
                               adapters::Done<adapters::TextEdit>, adapters::Done<std::vector<adapters::Bug>>>;
  RequestId hold(Call call, AnyDone done);
  template <class T>
  void answer(std::size_t call, Expected<T> result);

  std::map<std::string, AdapterId, std::less<>> adapters_;
  std::uint32_t last_adapter_ = 0;
  std::vector<Call> calls_;
  std::map<std::size_t, AnyDone> open_;
  std::vector<std::uint64_t> cancelled_;
};

// Gives both at once, as a model that says it is a fake.
[[nodiscard]] lsp::ModelLoader loader_of(std::shared_ptr<lsp::CompletionBackend> backend,
                                         std::shared_ptr<lsp::ActionBackend> actions);

}  // namespace weft::test
