#include "adapters/actions/action.h"

#include <algorithm>
#include <utility>

namespace weft::adapters {

Expected<ScreenedDocument> screened(const ActionParts& parts, const generation::DocumentView& document) {
  if (document.text == nullptr) return make_error("{} has no text", document.path);
  if (const auto readable = parts.options.screen(document.path, {}); !readable) return readable.error();
  const generation::Language* language = generation::find_language(document.language, document.path);
  if (language == nullptr || language->grammar == nullptr) {
    return make_error("weft has no grammar for '{}' ({})", document.language, document.path);
  }
  return ScreenedDocument{document.path, document.text, language};
}

bool unmasked(const ActionParts& parts, const ScreenedDocument& document, std::string_view piece) {
  const auto seen = parts.options.screen(document.path, piece);
  return seen && *seen == piece;
}

const Task& task_row(std::string_view name) {
  const Task* task = find_task(name);
  WEFT_CHECK(task != nullptr);
  return *task;
}

Expected<generation::GenerationRequest> request_of(const ActionParts& parts, const TaskPrompt& prompt) {
  generation::GenerationRequest request;
  request.prompt = parts.runs->tokenizer().encode(prompt.prompt);
  const std::size_t positions = parts.runs->max_positions();
  const std::size_t answer = std::min(prompt.task.max_answer_tokens, positions / 2);
  const std::size_t limit = std::min(prompt.task.max_prompt_tokens, positions - answer);
  if (request.prompt.size() > limit) {
    return make_error("{}: a prompt of {} tokens is longer than the {} there is room for", prompt.task.name,
                      request.prompt.size(), limit);
  }
  request.max_new_tokens = answer;
  request.stop_tokens = parts.options.stop_tokens;
  request.adapter = prompt.adapter;
  request.request_class = prompt.request_class;
  return request;
}

}  // namespace weft::adapters
