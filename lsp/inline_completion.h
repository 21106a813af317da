// textDocument/inlineCompletion: from params and a document to a request of the completion service, and from its result
// to ghost text. Pure.
//
// Items always carry a range on one line. Where something is chosen in the completion menu, the request is made as if
// it had been accepted, and each item stands on the menu's own range and begins with the chosen text, or editors would
// not show it.
#pragma once

#include "lsp/document_store.h"
#include "lsp/pending_completions.h"
#include "lsp/protocol.h"
#include "model/base/expected.h"

namespace weft::lsp {

// Error: a selected range over several lines or that ends before it starts.
Expected<CompletionJob> make_inline_job(const Document& document, const InlineCompletionParams& params,
                                        PositionEncoding encoding);

}  // namespace weft::lsp
