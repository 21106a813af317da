// WorkspaceEdit: changes of one document in the client's terms. Pure.
#pragma once

#include <string>

#include "adapters/actions/actions.h"
#include "lsp/document_store.h"
#include "lsp/protocol.h"

namespace weft::lsp {

// A TextEdit of the protocol. Line ends become those of `text`, which \n stands for in what a model writes.
[[nodiscard]] Json to_json(const adapters::TextEdit& edit, std::string_view text, PositionEncoding encoding);

// Names the document's version where the client can check it.
[[nodiscard]] Json workspace_edit(const Document& document, Json text_edit, const ClientCapabilities& client);

}  // namespace weft::lsp
