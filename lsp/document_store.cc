#include "lsp/document_store.h"

#include <algorithm>
#include <utility>

#include "lsp/uri.h"

namespace weft::lsp {
namespace {

Error too_large(std::string_view path, std::size_t bytes) {
  return make_error("{}: {} bytes are more than the {} that weft follows", path, bytes, kMaxDocumentBytes);
}

// The index of the last change that gives the whole text; changes.size(): none does.
std::size_t last_full_text(const std::vector<ContentChange>& changes) {
  for (std::size_t i = changes.size(); i > 0; --i) {
    if (!changes[i - 1].range) return i - 1;
  }
  return changes.size();
}

// The end of what differs between two texts, in the second.
std::size_t end_of_difference(std::string_view before, std::string_view after) {
  const std::size_t shorter = std::min(before.size(), after.size());
  const auto same =
      std::mismatch(before.rbegin(), before.rbegin() + static_cast<std::ptrdiff_t>(shorter), after.rbegin());
  return after.size() - static_cast<std::size_t>(same.first - before.rbegin());
}

Error mark(Document& document, Error error) {
  document.problem = error.message;
  return error;
}

}  // namespace

Expected<std::string> apply_change(std::string_view text, const ContentChange& change, PositionEncoding encoding) {
  if (!change.range) return change.text;
  const std::size_t begin = offset_of(text, change.range->start, encoding);
  const std::size_t end = offset_of(text, change.range->end, encoding);
  if (end < begin) {
    return make_error("change ends at {}:{} before it starts at {}:{}", change.range->end.line,
                      change.range->end.character, change.range->start.line, change.range->start.character);
  }
  std::string out;
  out.reserve(text.size() - (end - begin) + change.text.size());
  out.append(text.substr(0, begin)).append(change.text).append(text.substr(end));
  return out;
}

Expected<void> DocumentStore::open(TextDocumentItem item) {
  auto path = path_of_uri(item.uri);
  if (!path) return path.error();
  Document document{.uri = item.uri,
                    .path = std::move(*path),
                    .language = std::move(item.language_id),
                    .version = item.version,
                    .text = nullptr,
                    .problem = {},
                    .last_edit = 0,
                    .edited_at = 0};
  Expected<void> result;
  if (item.text.size() > kMaxDocumentBytes) {
    result = mark(document, too_large(document.path, item.text.size()));
    item.text.clear();
  }
  document.text = std::make_shared<const std::string>(std::move(item.text));
  documents_.insert_or_assign(std::move(item.uri), std::move(document));
  return result;
}

Expected<void> DocumentStore::change(const DidChangeParams& params) {
  const auto found = documents_.find(params.uri);
  if (found == documents_.end()) return make_error("{} is not open", params.uri);
  Document& document = found->second;
  if (params.version <= document.version) {
    if (params.changes.empty()) return {};
    return mark(document, make_error("{}: change to version {} after version {}", document.path, params.version,
                                     document.version));
  }
  document.version = params.version;
  const std::size_t full = last_full_text(params.changes);
  if (!document.problem.empty() && full == params.changes.size()) {
    return make_error("{}: not followed since: {}", document.path, document.problem);
  }
  // What stands before a full text has no effect.
  std::string text;
  std::string_view current = *document.text;
  for (std::size_t i = full == params.changes.size() ? 0 : full; i < params.changes.size(); ++i) {
    auto next = apply_change(current, params.changes[i], encoding_);
    if (!next) return mark(document, make_error("{}: {}", document.path, next.error().message));
    if (next->size() > kMaxDocumentBytes) return mark(document, too_large(document.path, next->size()));
    text = std::move(*next);
    current = text;
  }
  if (params.changes.empty()) return {};
  document.last_edit = ++edits_;
  document.edited_at = end_of_difference(*document.text, text);
  document.text = std::make_shared<const std::string>(std::move(text));
  document.problem.clear();
  return {};
}

Expected<void> DocumentStore::close(std::string_view uri) {
  const auto found = documents_.find(uri);
  if (found == documents_.end()) return make_error("{} is not open", uri);
  documents_.erase(found);
  return {};
}

const Document* DocumentStore::find(std::string_view uri) const {
  const auto found = documents_.find(uri);
  return found == documents_.end() ? nullptr : &found->second;
}

std::vector<const Document*> DocumentStore::others(std::string_view uri, std::size_t limit) const {
  std::vector<const Document*> found;
  for (const auto& [other, document] : documents_) {
    if (other != uri && document.problem.empty()) found.push_back(&document);
  }
  std::ranges::stable_sort(found, std::ranges::greater(), &Document::last_edit);
  if (found.size() > limit) found.resize(limit);
  return found;
}

}  // namespace weft::lsp
