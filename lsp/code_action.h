// textDocument/codeAction and what its actions need: what is offered at a place, found by tree-sitter alone; the place
// again when an action is chosen; both in the client's terms. The model is not asked here. Pure: the worker lists, the
// I/O thread renders.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "adapters/actions/actions.h"
#include "lsp/document_store.h"
#include "lsp/protocol.h"

namespace weft::lsp {

inline constexpr std::string_view kRewriteKind = "refactor.rewrite", kQuickFixKind = "quickfix";
// The command that stands for an action where the client cannot resolve one.
inline constexpr std::string_view kApplyCommand = "weft.applyAction";

// Kinds are a hierarchy: "refactor" asks for "refactor.rewrite" too, the empty kind for all.
[[nodiscard]] bool wants_kind(const CodeActionParams& params, std::string_view kind);

// What the model could do just now.
struct Abilities {
  bool generate = false, refactor = false;
};

struct OfferedAction {
  std::string title;
  ActionData data;
};

// Takes as long as parsing the document does. Empty: a language without grammar, a document that is too large.
[[nodiscard]] std::vector<OfferedAction> list_actions(const Document& document, Position position,
                                                      PositionEncoding encoding, Abilities abilities);

using ActionPlace = std::variant<adapters::FunctionRequestPlace, adapters::RefactorPlace>;
struct StaleAction {};  // the text is another one
// Error: nothing of the kind is there, as in data that is not weft's own.
Expected<std::variant<ActionPlace, StaleAction>> find_place(const Document& document, const ActionData& data,
                                                            PositionEncoding encoding);

// A CodeAction that waits to be resolved, or carries a command, or a Command, as the client understands. Null: the
// client has no way to carry the action out.
[[nodiscard]] Json to_json(const OfferedAction& action, const ClientCapabilities& client);

}  // namespace weft::lsp
