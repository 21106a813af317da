// `weftd`: one client on stdin and stdout.
#pragma once

#include "lsp/daemon/options.h"

namespace weft::lsp {

// The exit code.
int serve(const DaemonOptions& options);

}  // namespace weft::lsp
