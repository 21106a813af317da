#include "tests/support/lsp/fake_backend.h"

#include <algorithm>
#include <utility>

#include "model/base/check.h"

namespace weft::test {

RequestId FakeBackend::complete(generation::CompletionRequest request, Done done) {
  const std::size_t index = requests_.size();
  requests_.push_back(std::move(request));
  open_.emplace(index, std::move(done));
  return RequestId(index);
}

bool FakeBackend::was_cancelled(std::size_t request) const {
  return std::find(cancelled_.begin(), cancelled_.end(), request) != cancelled_.end();
}

void FakeBackend::answer(std::size_t request, Expected<generation::CompletionResult> result) {
  const auto found = open_.find(request);
  WEFT_CHECK(found != open_.end());
  const Done done = std::move(found->second);
  open_.erase(found);
  done(std::move(result));
}

void FakeBackend::answer(std::size_t request, const std::string& text) {
  generation::CompletionResult result;
  const std::size_t cursor = requests_.at(request).cursor;
  result.items.push_back({.text = text, .replace_begin = cursor, .replace_end = cursor, .score = -0.5});
  result.model = "fake-backend";
  answer(request, std::move(result));
}

void FakeBackend::answer_cancelled(std::size_t request) {
  generation::CompletionResult result;
  result.cancelled = true;
  answer(request, std::move(result));
}

}  // namespace weft::test
