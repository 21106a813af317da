// ActionService: from a document and a place to edits, by the model: functions from comments, refactorings, bugs and
// their fixes. The daemon, `weft generate` and `weft eval TASK` all call this one. Positions are byte offsets into the
// named snapshot; edits apply to that snapshot and have been re-parsed. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/registry/registry.h"
#include "adapters/tasks/bug_detection.h"
#include "adapters/tasks/function_from_comment.h"
#include "adapters/tasks/refactor.h"
#include "generation/completion/completion.h"
#include "generation/engine.h"

namespace weft::adapters {

struct TextEdit {
  generation::ByteRange range;
  std::string text;
};

struct GeneratedFunction {
  std::string code;
  double score = 0;     // length-normalised log-probability
  bool parses = false;  // at its place
};

struct Bug {
  generation::ByteRange line;  // without indentation and line end
  double probability = 0;
  std::optional<TextEdit> fix;  // re-parsed, and clean by the adapter's own verdict once applied
};

struct ActionOptions {
  std::size_t beams = 4;
  std::vector<TokenId> stop_tokens{};  // what ends an answer; empty: <|endoftext|>
  generation::Screen screen{};         // empty: the built-in secret rules
};

template <class T>
using Done = std::function<void(Expected<T>)>;  // exactly once, on the engine thread or at once

class ActionService {
 public:
  ActionService(std::shared_ptr<generation::Engine> engine, std::shared_ptr<AdapterRegistry> adapters,
                ActionOptions options = {});
  ~ActionService();

  // Best first: those that parse, then by score. Uses the task's adapter where one is installed, else the base.
  RequestId generate_function(const generation::DocumentView& document, FunctionRequestPlace place,
                              Done<std::vector<GeneratedFunction>> done);
  // Error: no refactor adapter, or nothing sound came of it.
  RequestId refactor(const generation::DocumentView& document, RefactorPlace place, Done<TextEdit> done);
  // Functions that hold a byte of `changed` (all when it is empty). Nothing without a bug-detection adapter. Above the
  // adapter's threshold only, most probable first.
  RequestId find_bugs(const generation::DocumentView& document, generation::ByteRange changed,
                      Done<std::vector<Bug>> done);
  // Ends the request: `done` with an error that says "cancelled". Unknown ids are ignored.
  void cancel(RequestId id);

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace weft::adapters
