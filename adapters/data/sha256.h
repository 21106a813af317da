// SHA-256 (FIPS 180-4) in lower-case hexadecimal. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weft::adapters {

[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace weft::adapters
