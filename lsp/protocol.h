// The parts of LSP that weft reads, as structs, and how they are read from a message's params. Pure. Errors name the
// field and what it should be; they become InvalidParams.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lsp/json_rpc.h"
#include "lsp/position.h"
#include "model/base/expected.h"

namespace weft::lsp {

struct ClientCapabilities {
  std::vector<std::string> position_encodings;  // in the client's order of preference
  bool work_done_progress = false;              // the server may create progress of its own
};

struct TextDocumentItem {
  std::string uri, language_id;
  std::int64_t version = 0;
  std::string text;
};

struct ContentChange {
  std::optional<Range> range;  // none: the whole document
  std::string text;
};

struct DidChangeParams {
  std::string uri;
  std::int64_t version = 0;
  std::vector<ContentChange> changes;  // each applies to what the one before it left
};

struct TextDocumentPosition {
  std::string uri;
  Position position;
};

enum class InlineTrigger { kInvoked = 1, kAutomatic = 2 };

// What is chosen in the editor's completion menu: an inline item has to stand on the same range and to continue the
// text.
struct SelectedCompletion {
  Range range;
  std::string text;
};

struct InlineCompletionParams {
  TextDocumentPosition place;
  InlineTrigger trigger = InlineTrigger::kAutomatic;
  std::optional<SelectedCompletion> selected;
};

Expected<ClientCapabilities> read_client_capabilities(const Json& initialize_params);
Expected<TextDocumentItem> read_did_open(const Json& params);
Expected<DidChangeParams> read_did_change(const Json& params);
Expected<std::string> read_text_document_uri(const Json& params);  // didClose, didSave
Expected<TextDocumentPosition> read_text_document_position(const Json& params);
Expected<InlineCompletionParams> read_inline_completion(const Json& params);
Expected<Json> read_cancel_id(const Json& params);

[[nodiscard]] Json to_json(const Position& position);
[[nodiscard]] Json to_json(const Range& range);

}  // namespace weft::lsp
