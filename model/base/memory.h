// How much memory there is for this process. Pure but for what it reads of the system.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

struct MemoryReport {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;  // the smaller of what the machine and the control group leave
  bool limited_by_cgroup = false;
};

// `root` stands before /proc and /sys, so that a test can give its own. All zero where the system does not say.
[[nodiscard]] MemoryReport read_memory(const std::string& root = "");

}  // namespace weft
