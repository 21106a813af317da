#include "generation/memory/project_index.h"

#include <utility>

#include "generation/memory/lines.h"
#include "model/base/hash.h"

namespace weft::generation {

ProjectIndex::ProjectIndex(std::shared_ptr<const model::Tokenizer> tokenizer, ProjectIndexLimits limits)
    : tokenizer_(std::move(tokenizer)), limits_(limits), index_(limits.index) {}

TextId ProjectIndex::id_of(std::string_view path) { return fnv1a(path); }

bool ProjectIndex::add(std::string_view path, std::string_view text) {
  const TextId id = id_of(path);
  const std::vector<TokenId> tokens = memory_tokens(text, *tokenizer_);
  const auto there = files_.find(id);
  const std::size_t replaced = there == files_.end() ? 0 : there->second.tokens;
  if (index_.tokens() - replaced + tokens.size() > limits_.tokens) return false;
  put(id, tokens);
  return true;
}

void ProjectIndex::set(std::string_view path, std::string_view text) {
  const TextId id = id_of(path);
  const std::vector<TokenId> tokens = memory_tokens(text, *tokenizer_);
  remove(id);
  if (tokens.size() > limits_.tokens) return;
  while (index_.tokens() + tokens.size() > limits_.tokens) remove(oldest_first_.front());
  put(id, tokens);
}

void ProjectIndex::remove(std::string_view path) { remove(id_of(path)); }

std::size_t ProjectIndex::bytes() const {
  constexpr std::size_t kNodes = 96;  // a file's in the map and in the list
  return index_.bytes() + files_.size() * (sizeof(File) + kNodes);
}

void ProjectIndex::put(TextId id, const std::vector<TokenId>& tokens) {
  remove(id);
  index_.set_text(id, tokens);
  files_[id] = {tokens.size(), oldest_first_.insert(oldest_first_.end(), id)};
}

void ProjectIndex::remove(TextId id) {
  const auto found = files_.find(id);
  if (found == files_.end()) return;
  index_.remove_text(id);
  oldest_first_.erase(found->second.age);
  files_.erase(found);
}

}  // namespace weft::generation
