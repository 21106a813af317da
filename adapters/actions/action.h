// What all actions share: the document they are about, screened, and the request that a task's row makes of a prompt.
// Each action is one file that offers one function; the service only hands them their parts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/actions/actions.h"
#include "adapters/actions/runs.h"
#include "adapters/tasks/task.h"

namespace weft::adapters {

struct ActionParts {
  std::shared_ptr<Runs> runs;
  ActionOptions options;  // the screen is not empty, nor are the stop tokens
};

// A document whose file may be read and whose language has a grammar.
struct ScreenedDocument {
  std::string path;
  std::shared_ptr<const std::string> text;
  const generation::Language* language = nullptr;
};
// Errors: no text, a secret file, a language without grammar.
Expected<ScreenedDocument> screened(const ActionParts& parts, const generation::DocumentView& document);
// Whether the screen leaves a piece of the document as it is. What it masks must not come back as an edit.
[[nodiscard]] bool unmasked(const ActionParts& parts, const ScreenedDocument& document, std::string_view piece);

[[nodiscard]] const Task& task_row(std::string_view name);  // a row that weft has

struct TaskPrompt {
  const Task& task;
  std::string_view prompt;
  AdapterId adapter;
  generation::RequestClass request_class = generation::RequestClass::kUserWaiting;
};
// Error: more tokens than the task or the model takes, the answer included.
Expected<generation::GenerationRequest> request_of(const ActionParts& parts, const TaskPrompt& prompt);

void start_generate_function(const ActionParts& parts, RequestId run, std::optional<InstalledAdapter> adapter,
                             const ScreenedDocument& document, const FunctionRequestPlace& place,
                             Done<std::vector<GeneratedFunction>> done);
void start_refactor(const ActionParts& parts, RequestId run, const InstalledAdapter& adapter,
                    const ScreenedDocument& document, const RefactorPlace& place, Done<TextEdit> done);
void start_find_bugs(const ActionParts& parts, RequestId run, const InstalledAdapter& adapter,
                     const ScreenedDocument& document, generation::ByteRange changed, Done<std::vector<Bug>> done);

}  // namespace weft::adapters
