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

// How much of code actions the client understands.
struct CodeActionSupport {
  bool literals = false;        // CodeAction; without it only Command
  bool resolves_edits = false;  // keeps `data`, and asks for `edit` when the action is chosen
  bool preferred = false;       // `isPreferred`
  bool generated_tag = false;   // CodeActionTag.LLMGenerated
};

struct ClientCapabilities {
  std::vector<std::string> position_encodings;  // in the client's order of preference
  bool work_done_progress = false;              // the server may create progress of its own
  bool document_changes = false;                // edits may name the version that they are for
  bool applies_edits = false;                   // workspace/applyEdit
  bool watches_files = false;                   // the server may ask for workspace/didChangeWatchedFiles
  CodeActionSupport code_action;
};

// initializationOptions. What is not there is as it is here.
struct ClientOptions {
  bool diagnostics = true;  // diagnostics.enabled
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

// weft/explain. The position may be left out.
struct ExplainParams {
  std::string uri;
  std::optional<Position> position;
};

struct CodeActionParams {
  std::string uri;
  Range range;
  std::optional<std::vector<std::string>> only;  // kinds that the client wants; none: all
  bool automatic = false;                        // the editor asks by itself, as the cursor moves
  Json diagnostics = Json::array();              // objects: what the client shows in the range
};

enum class ActionKind { kGenerateFunction, kRefactor };

// `data` of a code action, and the argument of the command that stands for it: what has to come back.
struct ActionData {
  ActionKind kind = ActionKind::kGenerateFunction;
  std::string uri;
  std::int64_t version = 0;
  std::string text_hash;  // of the text that the action was found in
  Position position;      // where it was asked for
  std::string refactoring;
};

struct ExecuteCommandParams {
  std::string command;
  Json arguments = Json::array();
};

Expected<ClientCapabilities> read_client_capabilities(const Json& initialize_params);
// Paths of the workspace's folders, or of the root where the client has none.
[[nodiscard]] std::vector<std::string> read_roots(const Json& initialize_params);
Expected<ClientOptions> read_client_options(const Json& initialize_params);
Expected<TextDocumentItem> read_did_open(const Json& params);
Expected<DidChangeParams> read_did_change(const Json& params);
Expected<std::string> read_text_document_uri(const Json& params);           // didClose, didSave
Expected<std::vector<std::string>> read_watched_files(const Json& params);  // URIs of what changed on disk
Expected<TextDocumentPosition> read_text_document_position(const Json& params);
Expected<ExplainParams> read_explain(const Json& params);
Expected<InlineCompletionParams> read_inline_completion(const Json& params);
Expected<CodeActionParams> read_code_action(const Json& params);
Expected<ActionData> read_action_data(const Json& data);
Expected<ExecuteCommandParams> read_execute_command(const Json& params);
Expected<Json> read_cancel_id(const Json& params);
// window/workDoneProgress/cancel, or the workDoneToken of a request. Null: none.
[[nodiscard]] Json read_progress_token(const Json& params, const char* key);

[[nodiscard]] Json to_json(const Position& position);
[[nodiscard]] Json to_json(const Range& range);
[[nodiscard]] Json to_json(const ActionData& data);

}  // namespace weft::lsp
