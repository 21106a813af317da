// textDocument/completion: the same offers as ghost text, for editors that have only a completion menu. Pure.
//
// The edit begins at the word under way and the label repeats it, because editors filter the menu by what of the word
// has been typed. The list is incomplete, so that each key asks again.
#pragma once

#include "lsp/document_store.h"
#include "lsp/pending_completions.h"
#include "lsp/protocol.h"

namespace weft::lsp {

[[nodiscard]] CompletionJob make_popup_job(const Document& document, const TextDocumentPosition& place,
                                           PositionEncoding encoding);

}  // namespace weft::lsp
