#include "generation/completion/memories.h"

#include <algorithm>

namespace weft::generation {
namespace {

constexpr std::size_t kMostDocuments = 16;

}  // namespace

// The one that is wanted comes to the front, or is made there; the last of too many goes.
FileMemory& Memories::document(const std::string& key) {
  const auto found = std::ranges::find(documents_, key, &OfDocument::key);
  if (found != documents_.end()) {
    documents_.splice(documents_.begin(), documents_, found);
  } else {
    documents_.push_front({key, FileMemory(tokenizer_)});
    if (documents_.size() > kMostDocuments) documents_.pop_back();
  }
  return documents_.front().memory;
}

void Memories::read_project(const std::string& root) {
  if (reach_ >= MemoryReach::kProject && !root.empty()) projects_.read(root);
}

Memories::AtPlace Memories::at(const CompletionRequest& request, std::size_t opening_bytes) {
  if (reach_ == MemoryReach::kNothing) return {};
  ProjectMemories::Texts others;
  if (reach_ >= MemoryReach::kProject && !request.root.empty()) others = projects_.for_request(request);
  const DocumentView& view = request.document;
  const std::lock_guard lock(mutex_);
  FileMemory& memory = document(request.session + '\n' + view.path);
  const auto file =
      memory.update({.path = view.path, .text = *view.text, .cursor = request.cursor, .opening = opening_bytes});
  return {make_memory(file, std::move(others.project), others.environment), memory.context(), others.environment};
}

}  // namespace weft::generation
