// `weftd check FILE:LINE:COL`: an editor's first minute without an editor. Speaks to a Server in this process as a
// client would, and prints each stage with its time. Main thread only.
#pragma once

#include "lsp/daemon/options.h"

namespace weft::lsp {

// The exit code: 0 when an answer came, also an empty one; 1 when the file or the model could not be read; 2 when the
// place is malformed.
int check(const DaemonOptions& options);

}  // namespace weft::lsp
