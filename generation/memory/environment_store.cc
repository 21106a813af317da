#include "generation/memory/environment_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "model/base/log.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".index", kLock = "lock";
constexpr std::chrono::milliseconds kLockPoll{200};

// ENVIRONMENT-KEY.index; 0 of another name.
std::uint64_t key_of(const std::string& name) {
  const std::size_t dash = name.find('-');
  if (dash == std::string::npos || !name.ends_with(kSuffix)) return 0;
  return std::strtoull(name.c_str() + dash + 1, nullptr, 16);
}

std::vector<fs::path> newest_first(const std::string& folder, std::string_view beginning) {
  struct Dated {
    fs::path path;
    fs::file_time_type time;
  };
  std::vector<Dated> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (name.starts_with(beginning) && name.ends_with(kSuffix)) {
      found.push_back({it->path(), fs::last_write_time(it->path(), ignored)});
    }
  }
  std::ranges::sort(found, std::ranges::greater(), &Dated::time);
  std::vector<fs::path> out;
  for (Dated& one : found) out.push_back(std::move(one.path));
  return out;
}

// Held as long as the descriptor lives. Nothing: cancelled. Error: the disk's.
Expected<UniqueFd> lock(const std::string& path, const CancelFlag& cancel) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!file.valid()) return make_error("cannot open {}: {}", path, std::strerror(errno));
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return make_error("cannot lock {}: {}", path, std::strerror(errno));
    if (cancel.cancelled()) return make_error("cancelled");
    std::this_thread::sleep_for(kLockPoll);
  }
  return file;
}

}  // namespace

std::string environment_folder(const std::string& xdg_cache_home, const std::string& home) {
  const std::string cache = !xdg_cache_home.empty() ? xdg_cache_home : home.empty() ? "" : home + "/.cache";
  return cache.empty() ? "" : cache + "/weft/environments";
}

std::string EnvironmentStore::path_of(std::uint64_t environment, std::uint64_t key) const {
  return fmt::format("{}/{:016x}-{:016x}{}", folder_, environment, key, kSuffix);
}

std::shared_ptr<const EnvironmentIndex> EnvironmentStore::find(std::uint64_t environment, std::uint64_t key) const {
  const std::string path = path_of(environment, key);
  std::error_code error;
  if (!fs::exists(path, error)) return nullptr;
  auto index = EnvironmentIndex::open(path, key, ask_);
  if (!index) {
    spdlog::warn("environment memory: {}; it is built anew", index.error().message);
    return nullptr;
  }
  tidy(path);
  return *index;
}

std::shared_ptr<const EnvironmentIndex> EnvironmentStore::find_any(std::uint64_t environment) const {
  for (const fs::path& path : newest_first(folder_, fmt::format("{:016x}-", environment))) {
    if (auto index = EnvironmentIndex::open(path.string(), key_of(path.filename().string()), ask_)) return *index;
  }
  return nullptr;
}

Expected<std::shared_ptr<const EnvironmentIndex>> EnvironmentStore::build(std::uint64_t environment, std::uint64_t key,
                                                                          const Fill& fill,
                                                                          const CancelFlag& cancel) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return make_error("cannot create {}: {}", folder_, error.message());
  fs::permissions(folder_, fs::perms::owner_all, error);
  const std::string path = path_of(environment, key), part = path + ".part";
  const auto held = lock(fmt::format("{}/{}", folder_, kLock), cancel);
  if (!held) return held.error();
  if (auto theirs = find(environment, key)) return theirs;
  const auto built = [&]() -> Expected<void> {
    auto builder = EnvironmentBuilder::create(part);
    if (!builder) return builder.error();
    if (auto filled = fill(*builder); !filled) return filled;
    return builder->finish(key, cancel);
  }();
  if (built) fs::rename(part, path, error);
  if (!built || error) {
    std::error_code ignored;
    fs::remove(part, ignored);
  }
  if (!built) return built.error();
  auto index = EnvironmentIndex::open(path, key, ask_);
  if (!index) return index.error();
  // What is out of date serves nobody any more but those who have it open.
  for (const fs::path& old : newest_first(folder_, fmt::format("{:016x}-", environment))) {
    if (old != path) fs::remove(old, error);
  }
  tidy(path);
  return *index;
}

// Notes that it is used, and takes away what is too many and what somebody who died has left.
void EnvironmentStore::tidy(const std::string& used) const {
  std::error_code ignored;
  fs::last_write_time(used, fs::file_time_type::clock::now(), ignored);
  const std::vector<fs::path> all = newest_first(folder_, "");
  for (std::size_t i = kept_; i < all.size(); ++i) fs::remove(all[i], ignored);
  for (fs::directory_iterator it(folder_, ignored), end; it != end; it.increment(ignored)) {
    const std::string name = it->path().filename().string();
    if (name.ends_with(kSuffix) || name == kLock) continue;
    std::error_code error;
    const auto age = fs::file_time_type::clock::now() - fs::last_write_time(it->path(), error);
    if (!error && age > std::chrono::hours(24)) fs::remove(it->path(), error);
  }
}

}  // namespace weft::generation
