// The log: spdlog to stderr, because stdout belongs to results and to the transport. Thread-safe.
#pragma once

#include <string_view>

#include <spdlog/spdlog.h>

#include "model/base/expected.h"

namespace weft {

// level: trace, debug, info, warning, error, off. Error: an unknown level, listing the known ones.
Expected<void> init_log(std::string_view level);

}  // namespace weft
