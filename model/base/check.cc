#include "model/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace weft {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "weft: bug at %s:%d: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace weft
