#include "generation/memory/background.h"

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace weft::generation {

void yield_to_others() {
#ifdef __linux__
  // linux/ioprio.h, which not every system has, gives these.
  constexpr int kOfProcess = 1, kIdle = 3 << 13, kLowest = 19;
  const auto self = static_cast<id_t>(::syscall(SYS_gettid));
  static_cast<void>(::setpriority(PRIO_PROCESS, self, kLowest));
  static_cast<void>(::syscall(SYS_ioprio_set, kOfProcess, 0, kIdle));
#endif
}

}  // namespace weft::generation
