// URIs of documents. Pure. The URI as the client wrote it names a document; the path is for the language, the secret
// rules and messages.
#pragma once

#include <string>
#include <string_view>

#include "model/base/expected.h"

namespace weft::lsp {

// The path of `file://…`, percent-decoded; of any other scheme what follows it (`untitled:Untitled-1`).
// Error: no scheme, a broken percent escape, NUL or invalid UTF-8 after decoding, a file URI without an absolute path.
Expected<std::string> path_of_uri(std::string_view uri);

// `path` absolute.
[[nodiscard]] std::string uri_of_path(std::string_view path);

}  // namespace weft::lsp
