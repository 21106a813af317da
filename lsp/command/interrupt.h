// Ctrl-C for long work. Main thread.
#pragma once

#include "model/base/cancel.h"

namespace weft::lsp {

// From now on the first SIGINT or SIGTERM sets the flag that this returns, to ask for a clean end; the second one
// kills.
CancelFlag cancel_on_interrupt();

}  // namespace weft::lsp
