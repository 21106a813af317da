#include "model/base/memory.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>

namespace weft {
namespace {

namespace fs = std::filesystem;

// "max", and control group v1's "no limit" (a number close to 2^63), are no limit.
std::optional<std::uint64_t> read_limit(const fs::path& path) {
  std::ifstream in(path);
  std::uint64_t value = 0;
  if (!(in >> value) || value > (std::uint64_t{1} << 60)) return std::nullopt;
  return value;
}

struct CgroupFiles {
  const char *folder, *limit, *usage;
};
constexpr CgroupFiles kVersion2{"sys/fs/cgroup", "memory.max", "memory.current"};
constexpr CgroupFiles kVersion1{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"};

// The tightest limit on the way from this process's group to the root: a parent binds its children.
std::optional<std::uint64_t> cgroup_available(const fs::path& root, const CgroupFiles& files,
                                              const std::string& group) {
  std::optional<std::uint64_t> available;
  fs::path relative = fs::path(group).relative_path();
  while (true) {
    const fs::path folder = root / files.folder / relative;
    if (const auto limit = read_limit(folder / files.limit)) {
      const std::uint64_t used = read_limit(folder / files.usage).value_or(0);
      const std::uint64_t left = *limit > used ? *limit - used : 0;
      available = std::min(available.value_or(left), left);
    }
    if (relative.empty()) return available;
    relative = relative.parent_path();
  }
}

// Lines of /proc/self/cgroup: "0::/group" for version 2, "4:memory:/group" for version 1.
std::optional<std::uint64_t> cgroup_available(const fs::path& root) {
  std::ifstream in(root / "proc/self/cgroup");
  std::optional<std::uint64_t> available;
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1));
    const bool unified = controllers == ",,";
    if (!unified && controllers.find(",memory,") == std::string::npos) continue;
    const auto left = cgroup_available(root, unified ? kVersion2 : kVersion1, line.substr(second + 1));
    if (left) available = std::min(available.value_or(*left), *left);
  }
  return available;
}

}  // namespace

MemoryReport read_memory(const std::string& root) {
  const fs::path base = root.empty() ? fs::path("/") : fs::path(root);
  MemoryReport memory;
  std::ifstream in(base / "proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kib = 0;
    words >> name >> kib;
    if (name == "MemTotal:") memory.total_bytes = kib * 1024;
    if (name == "MemAvailable:") memory.available_bytes = kib * 1024;
  }
  if (const auto left = cgroup_available(base); left && *left < memory.available_bytes) {
    memory.available_bytes = *left;
    memory.limited_by_cgroup = true;
  }
  return memory;
}

}  // namespace weft
