// The open documents of one client. I/O thread only. A snapshot never changes: whoever holds one can read it on any
// thread while later edits make later snapshots. A document whose edits could not be followed is not guessed at: it has
// a `problem`, offers nothing, and is whole again with the next full text.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/position.h"
#include "lsp/protocol.h"
#include "model/base/expected.h"

namespace weft::lsp {

struct Document {
  std::string uri, path, language;
  std::int64_t version = 0;
  std::shared_ptr<const std::string> text;  // UTF-8
  std::string problem;                      // empty: `text` is what the client has
  std::uint64_t last_edit = 0;              // counts over all documents; 0: never edited
  std::size_t edited_at = 0;                // byte offset behind that edit
};

inline constexpr std::size_t kMaxDocumentBytes = std::size_t{32} << 20;

// `text` after one change. Error: a range that ends before it starts.
Expected<std::string> apply_change(std::string_view text, const ContentChange& change, PositionEncoding encoding);

class DocumentStore {
 public:
  // Before the first document, once.
  void set_encoding(PositionEncoding encoding) { encoding_ = encoding; }
  [[nodiscard]] PositionEncoding encoding() const { return encoding_; }

  // Opening an open document replaces it. Errors: a bad URI (nothing is opened); too large (opened with a problem).
  Expected<void> open(TextDocumentItem item);
  // Errors: not open; a version not above the document's; a change that does not fit, or makes it too large. After an
  // error an open document has a problem, unless the version was merely the one it has and nothing changed.
  Expected<void> change(const DidChangeParams& params);
  Expected<void> close(std::string_view uri);

  [[nodiscard]] const Document* find(std::string_view uri) const;
  // All but that one which can be followed, the last edited first, at most `limit`. Valid until the next change.
  [[nodiscard]] std::vector<const Document*> others(std::string_view uri, std::size_t limit) const;
  [[nodiscard]] std::size_t size() const { return documents_.size(); }

 private:
  PositionEncoding encoding_ = PositionEncoding::kUtf16;
  std::map<std::string, Document, std::less<>> documents_;
  std::uint64_t edits_ = 0;
};

}  // namespace weft::lsp
