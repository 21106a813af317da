// ActionBackend: where code actions and warnings of bugs come from, as the server sees it. The daemon's is the action
// service over the model it loaded; tests bring a fake. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "adapters/actions/actions.h"
#include "generation/completion/completion.h"
#include "model/base/expected.h"
#include "model/base/strong_id.h"

namespace weft::lsp {

class ActionBackend {
 public:
  virtual ~ActionBackend() = default;

  // Which adapter serves the task ("refactor", "bug-detection") just now. The I/O thread asks: it must not wait.
  [[nodiscard]] virtual std::optional<AdapterId> adapter_for(std::string_view task) const = 0;

  // As ActionService has them, but none of the work is done on the calling thread. `done` is called exactly once, on
  // any thread, perhaps before this returns; after a cancel with an error.
  virtual RequestId generate_function(generation::DocumentView document, adapters::FunctionRequestPlace place,
                                      adapters::Done<std::vector<adapters::GeneratedFunction>> done) = 0;
  virtual RequestId refactor(generation::DocumentView document, adapters::RefactorPlace place,
                             adapters::Done<adapters::TextEdit> done) = 0;
  // An empty `changed`: every function.
  virtual RequestId find_bugs(generation::DocumentView document, generation::ByteRange changed,
                              adapters::Done<std::vector<adapters::Bug>> done) = 0;
  virtual void cancel(RequestId id) = 0;  // unknown and finished ids are ignored
};

// The real one: owns the service; `adapters` are those that the service uses.
[[nodiscard]] std::shared_ptr<ActionBackend> make_action_backend(
    std::unique_ptr<adapters::ActionService> service, std::shared_ptr<const adapters::AdapterRegistry> adapters);

}  // namespace weft::lsp
