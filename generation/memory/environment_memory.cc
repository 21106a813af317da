#include "generation/memory/environment_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "generation/memory/background.h"
#include "generation/memory/lines.h"
#include "model/base/hash.h"
#include "model/base/log.h"
#include "model/base/memory.h"

namespace weft::generation {
namespace {

constexpr std::size_t kImportingFiles = 2000;  // of the project, whose imports are read
constexpr std::chrono::seconds kMissedPoll{1};
constexpr std::size_t kAround = 64 << 10;  // bytes read on both sides of what was missed

std::string fingerprint(const model::Tokenizer& tokenizer) {
  std::string bytes;
  for (std::size_t id = 0; id < tokenizer.vocabulary(); ++id) {
    bytes += tokenizer.bytes(TokenId(static_cast<std::int32_t>(id)));
    bytes += '\0';
  }
  return fmt::format("{:016x}", fnv1a(bytes));
}

bool is_below(const std::string& path, const std::string& folder) {
  return !folder.empty() && path.starts_with(folder) && path.substr(folder.size()).starts_with('/');
}

}  // namespace

std::string_view name_of(EnvironmentState::Step step) {
  switch (step) {
    case EnvironmentState::Step::kLooking:
      return "looking";
    case EnvironmentState::Step::kBuilding:
      return "building";
    case EnvironmentState::Step::kReady:
      return "ready";
    case EnvironmentState::Step::kNone:
      return "none";
  }
  return "none";
}

EnvironmentPlan plan_environment(const PythonEnvironment& environment, std::vector<PythonPackage> packages,
                                 const EnvironmentLimits& limits, const model::Tokenizer& tokenizer) {
  const std::string made_by =
      fmt::format("{} {} {} {} {} {}\n", std::string_view(EnvironmentHeader::kMagic.data(), 8), fingerprint(tokenizer),
                  limits.packages.files, limits.packages.bytes, limits.tokens, limits.files.max_bytes);
  std::string where = made_by + environment.standard_library;
  for (const std::string& folder : environment.site_folders) where += '\n' + folder;
  // Where all of it has room, which packages go first makes no difference.
  std::vector<std::string> parts;
  for (const PythonPackage& package : packages) {
    parts.push_back(fmt::format("{} {} {} {} {}\n", package.name, package.version, package.licence, package.changed,
                                package.files.size()));
  }
  std::ranges::sort(parts);
  std::string what = made_by;
  for (const std::string& part : parts) what += part;
  return {fnv1a(where), fnv1a(what), std::move(packages)};
}

Expected<std::shared_ptr<const EnvironmentIndex>> build_environment(const EnvironmentPlan& plan,
                                                                    const EnvironmentLimits& limits,
                                                                    const model::Tokenizer& tokenizer,
                                                                    const EnvironmentStore& store,
                                                                    const CancelFlag& cancel) {
  if (tokenizer.vocabulary() > kEndOfText) {
    return make_error("a vocabulary of {} tokens: an environment's index has room for {}", tokenizer.vocabulary(),
                      kEndOfText);
  }
  if (auto there = store.find(plan.environment, plan.key)) return there;
  const auto fill = [&](EnvironmentBuilder& builder) -> Expected<void> {
    for (const PythonPackage& package : plan.packages) {
      for (const SourceFile& file : package.files) {
        if (cancel.cancelled()) return make_error("cancelled");
        const auto text = read_source_file(file, limits.files);
        if (!text) continue;
        const std::vector<TokenId> tokens = memory_tokens(*text, tokenizer);
        if (builder.tokens() + tokens.size() > limits.tokens) return {};
        auto added = builder.add({package.name, package.version, package.licence}, file.relative, tokens);
        if (!added) return added;
      }
    }
    return {};
  };
  return store.build(plan.environment, plan.key, fill, cancel);
}

EnvironmentMemory::EnvironmentMemory(std::shared_ptr<const model::Tokenizer> tokenizer, std::string root,
                                     EnvironmentOptions options)
    : tokenizer_(std::move(tokenizer)),
      root_(std::move(root)),
      options_(std::move(options)),
      thread_([this] { work(); }) {}

EnvironmentMemory::~EnvironmentMemory() {
  {
    const std::lock_guard lock(mutex_);
    stop_.cancel();
  }
  changed_.notify_all();
  thread_.join();
}

std::shared_ptr<const EnvironmentIndex> EnvironmentMemory::text_for(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const bool own = std::ranges::any_of(own_folders_, [&](const std::string& folder) { return is_below(path, folder); });
  return own ? nullptr : published_;
}

EnvironmentState EnvironmentMemory::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void EnvironmentMemory::wait() const {
  std::unique_lock lock(mutex_);
  using Step = EnvironmentState::Step;
  changed_.wait(lock, [this] { return state_.step == Step::kReady || state_.step == Step::kNone; });
}

void EnvironmentMemory::work() {
  yield_to_others();
  const auto done = find_or_build();
  if (!done && !stop_.cancelled()) spdlog::warn("environment memory: {}", done.error().message);
  {
    const std::lock_guard lock(mutex_);
    if (!done) state_.problem = done.error().message;
    state_.step = published_ ? EnvironmentState::Step::kReady : EnvironmentState::Step::kNone;
  }
  changed_.notify_all();
  read_once();
  follow_missed();
}

Expected<void> EnvironmentMemory::find_or_build() {
  const auto environment = find_python_environment(root_, options_.variables);
  if (!environment) return {};
  {
    const std::lock_guard lock(mutex_);
    own_folders_ = environment->site_folders;
    own_folders_.push_back(environment->standard_library);
  }
  const auto imported = imported_by_project(root_, kImportingFiles, stop_);
  const EnvironmentPlan plan =
      plan_environment(*environment, list_python_packages(*environment, imported, {}, options_.limits.packages, stop_),
                       options_.limits, *tokenizer_);
  if (stop_.cancelled()) return make_error("cancelled");
  if (plan.packages.empty()) return {};
  const EnvironmentStore store(options_.folder);
  if (auto there = store.find(plan.environment, plan.key)) {
    publish(std::move(there), EnvironmentState::Step::kReady);
    return {};
  }
  publish(store.find_any(plan.environment), EnvironmentState::Step::kBuilding);
  read_once();
  {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, options_.build_after, [this] { return stop_.cancelled(); })) return {};
  }
  auto built = build_environment(plan, options_.limits, *tokenizer_, store, stop_);
  if (!built) return built.error();
  publish(std::move(*built), EnvironmentState::Step::kReady);
  return {};
}

void EnvironmentMemory::publish(std::shared_ptr<const EnvironmentIndex> index, EnvironmentState::Step step) {
  const std::lock_guard lock(mutex_);
  state_.step = step;
  if (index == nullptr) return;
  published_.swap(index);
  state_.files = published_->table().files.size();
  state_.tokens = published_->tokens();
  state_.file_bytes = published_->file_bytes();
  state_.held_bytes = published_->held_bytes();
}

void EnvironmentMemory::fetch(const EnvironmentIndex& index, std::span<const std::byte> part) const {
  for (; !part.empty() && !stop_.cancelled(); part = part.subspan(std::min(part.size(), kAround))) {
    index.fetch(part.first(std::min(part.size(), kAround)));
  }
}

void EnvironmentMemory::read_once() const {
  const auto index = text_for("");
  if (index != nullptr && read_memory().available_bytes > 4 * index->file_bytes()) fetch(*index, index->bytes());
}

void EnvironmentMemory::follow_missed() const {
  const auto index = text_for("");
  while (index != nullptr && !stop_.cancelled()) {
    const std::span<const std::byte> all = index->bytes();
    for (const std::span<const std::byte> missed : index->take_missed()) {
      const auto at = static_cast<std::size_t>(missed.data() - all.data());
      const std::size_t begin = at - std::min(at, kAround), end = std::min(at + missed.size() + kAround, all.size());
      fetch(*index, all.subspan(begin, end - begin));
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kMissedPoll, [this] { return stop_.cancelled(); });
  }
}

}  // namespace weft::generation
