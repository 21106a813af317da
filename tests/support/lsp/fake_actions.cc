#include "tests/support/lsp/fake_actions.h"

#include <algorithm>
#include <utility>

#include "model/base/check.h"
#include "tests/support/lsp/lsp_client.h"

namespace weft::test {

using adapters::Bug;
using adapters::GeneratedFunction;
using adapters::TextEdit;

std::optional<AdapterId> FakeActionBackend::adapter_for(std::string_view task) const {
  const auto found = adapters_.find(task);
  if (found == adapters_.end()) return std::nullopt;
  return found->second;
}

RequestId FakeActionBackend::generate_function(generation::DocumentView document, adapters::FunctionRequestPlace place,
                                               adapters::Done<std::vector<GeneratedFunction>> done) {
  return hold({std::move(document), std::move(place)}, std::move(done));
}

RequestId FakeActionBackend::refactor(generation::DocumentView document, adapters::RefactorPlace place,
                                      adapters::Done<TextEdit> done) {
  return hold({std::move(document), std::move(place)}, std::move(done));
}

RequestId FakeActionBackend::find_bugs(generation::DocumentView document, generation::ByteRange changed,
                                       adapters::Done<std::vector<Bug>> done) {
  return hold({std::move(document), changed}, std::move(done));
}

RequestId FakeActionBackend::hold(Call call, AnyDone done) {
  const std::size_t index = calls_.size();
  calls_.push_back(std::move(call));
  open_.emplace(index, std::move(done));
  return RequestId(index);
}

bool FakeActionBackend::was_cancelled(std::size_t call) const {
  return std::find(cancelled_.begin(), cancelled_.end(), call) != cancelled_.end();
}

template <class T>
void FakeActionBackend::answer(std::size_t call, Expected<T> result) {
  const auto found = open_.find(call);
  WEFT_CHECK(found != open_.end());
  const auto done = std::get<adapters::Done<T>>(std::move(found->second));
  open_.erase(found);
  done(std::move(result));
}

void FakeActionBackend::answer_functions(std::size_t call, Expected<std::vector<GeneratedFunction>> functions) {
  answer(call, std::move(functions));
}

void FakeActionBackend::answer_refactor(std::size_t call, Expected<TextEdit> edit) { answer(call, std::move(edit)); }

void FakeActionBackend::answer_bugs(std::size_t call, Expected<std::vector<Bug>> bugs) {
  answer(call, std::move(bugs));
}

lsp::ModelLoader loader_of(std::shared_ptr<lsp::CompletionBackend> backend,
                           std::shared_ptr<lsp::ActionBackend> actions) {
  return [load = loader_of(std::move(backend)), actions](const auto& progress) -> Expected<lsp::ReadyModel> {
    auto model = load(progress);
    if (model) model->actions = actions;
    return model;
  };
}

}  // namespace weft::test
