#include "generation/memory/project_memory.h"

#include <filesystem>
#include <utility>

#include "generation/files/source_files.h"
#include "generation/memory/background.h"
#include "model/base/log.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesBetweenSnapshots = 64;

}  // namespace

ProjectMemory::ProjectMemory(std::shared_ptr<const model::Tokenizer> tokenizer, ProjectMemoryOptions options)
    : options_(std::move(options)), index_(std::move(tokenizer), options_.index), thread_([this] { work(); }) {}

ProjectMemory::~ProjectMemory() {
  {
    const std::lock_guard lock(mutex_);
    stop_.cancel();
  }
  changed_.notify_all();
  thread_.join();
}

void ProjectMemory::changed(const std::string& path, std::shared_ptr<const std::string> text) {
  tell(path, std::move(text));
}

void ProjectMemory::saved(const std::string& path) { tell(path, nullptr); }

ProjectText ProjectMemory::text_for(const std::string& path) const {
  const auto own = relative(path);
  const std::lock_guard lock(mutex_);
  return {published_, own ? std::optional(ProjectIndex::id_of(*own)) : std::nullopt};
}

ProjectMemoryState ProjectMemory::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void ProjectMemory::wait() const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_ && told_.empty(); });
}

void ProjectMemory::tell(const std::string& path, std::shared_ptr<const std::string> text) {
  auto below = relative(path);
  if (!below) return;
  {
    const std::lock_guard lock(mutex_);
    told_[std::move(*below)] = std::move(text);
  }
  changed_.notify_all();
}

std::optional<std::string> ProjectMemory::relative(const std::string& path) const {
  std::string below =
      fs::path(path).lexically_normal().lexically_relative(fs::path(options_.root).lexically_normal()).generic_string();
  if (below.empty() || below == "." || below.starts_with("..")) return std::nullopt;
  return below;
}

void ProjectMemory::work() {
  yield_to_others();
  scan();
  while (read_told()) {
    {
      const std::lock_guard lock(mutex_);
      busy_ = false;
    }
    changed_.notify_all();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stop_.cancelled() || !told_.empty(); });
    busy_ = true;
  }
}

void ProjectMemory::scan() {
  const auto files = list_source_files(options_.root, options_.most_files, stop_);
  if (!files) {
    if (!stop_.cancelled()) spdlog::warn("project memory: {}", files.error().message);
    return;
  }
  std::size_t since = 0;
  for (const SourceFile& file : *files) {
    if (!read_told()) return;  // what is worked on goes before what is only there
    if (index_.has(file.relative)) continue;
    const auto text = read_source_file(file, options_.files);
    if (text && !index_.add(file.relative, *text)) break;
    if (++since % kFilesBetweenSnapshots == 0) publish();
  }
  publish();
  const std::lock_guard lock(mutex_);
  state_.scanned = true;
}

void ProjectMemory::read(const std::string& relative, const std::shared_ptr<const std::string>& text) {
  const SourceFile file{(fs::path(options_.root) / relative).string(), relative};
  if (!is_source_file(options_.root, relative)) return index_.remove(relative);
  const auto kept = text ? read_source_text(relative, *text, options_.files) : read_source_file(file, options_.files);
  kept ? index_.set(relative, *kept) : index_.remove(relative);
}

bool ProjectMemory::read_told() {
  Told told;
  {
    const std::lock_guard lock(mutex_);
    told.swap(told_);
  }
  for (const auto& [relative, text] : told) {
    if (stop_.cancelled()) return false;
    read(relative, text);
  }
  if (!told.empty()) publish();
  return !stop_.cancelled();
}

void ProjectMemory::publish() {
  auto snapshot = index_.snapshot();
  const std::lock_guard lock(mutex_);
  published_.swap(snapshot);  // the old one goes when the lock has gone
  state_.files = index_.files();
  state_.tokens = index_.tokens();
  state_.bytes = index_.bytes();
}

}  // namespace weft::generation
