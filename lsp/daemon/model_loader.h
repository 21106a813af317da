// The daemon's model: found, loaded, and put behind an engine with a thread of its own and the completion service.
#pragma once

#include "lsp/completion_backend.h"
#include "lsp/daemon/options.h"

namespace weft::lsp {

[[nodiscard]] ModelLoader make_model_loader(const DaemonOptions& options);

}  // namespace weft::lsp
