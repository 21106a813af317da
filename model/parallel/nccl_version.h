// Of the NCCL that this program is linked with. In the CUDA build only; needs no GPU. Thread-safe.
#pragma once

#include <string>

namespace weft::model {

[[nodiscard]] std::string nccl_version();  // "2.30.1"

}  // namespace weft::model
