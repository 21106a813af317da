#include "generation/completion/memories.h"

#include <algorithm>
#include <utility>

namespace weft::generation {
namespace {

constexpr std::size_t kMostDocuments = 16;
constexpr std::size_t kMostProjects = 4;

// Moves the one that is wanted to the front, or makes it there; the last of too many goes.
template <class Entry, class Make>
Entry& front_of(std::list<Entry>& entries, const std::string Entry::*key, const std::string& wanted, std::size_t most,
                const Make& make) {
  const auto found = std::ranges::find(entries, wanted, key);
  if (found != entries.end()) {
    entries.splice(entries.begin(), entries, found);
  } else {
    entries.push_front(make());
    if (entries.size() > most) entries.pop_back();
  }
  return entries.front();
}

}  // namespace

FileMemory& Memories::document(const std::string& key) {
  return front_of(documents_, &OfDocument::key, key, kMostDocuments,
                  [&] {
                    return OfDocument{key, FileMemory(tokenizer_)};
                  })
      .memory;
}

Memories::OfProject& Memories::project(const std::string& root) {
  return front_of(projects_, &OfProject::root, root, kMostProjects, [&] {
    return OfProject{root, std::make_unique<ProjectMemory>(tokenizer_, ProjectMemoryOptions{.root = root}), {}};
  });
}

Memories::AtPlace Memories::at(const CompletionRequest& request, std::size_t opening_bytes) {
  if (reach_ == MemoryReach::kNothing) return {};
  const DocumentView& view = request.document;
  const std::lock_guard lock(mutex_);
  FileMemory& memory = document(request.session + '\n' + view.path);
  const auto file =
      memory.update({.path = view.path, .text = *view.text, .cursor = request.cursor, .opening = opening_bytes});
  ProjectText others;
  if (reach_ == MemoryReach::kProject && !request.root.empty()) {
    OfProject& of = project(request.root);
    for (const OpenDocument& open : request.others) {
      std::shared_ptr<const std::string>& told = of.told[open.path];
      if (told == open.text || open.last_edit == 0) continue;
      told = open.text;
      of.memory->changed(open.path, open.text);
    }
    others = of.memory->text_for(view.path);
  }
  return {make_memory(file, std::move(others)), memory.context()};
}

}  // namespace weft::generation
