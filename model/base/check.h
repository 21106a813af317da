// WEFT_CHECK: what only a bug of ours can break. Prints the place and aborts. Thread-safe.
#pragma once

namespace weft {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define WEFT_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::weft::check_failed(#condition, __FILE__, __LINE__))
