// What the engine's callbacks hold is State, which does not own the engine: an engine must not be destroyed on its own
// thread. Within a callback that brings an id the engine is alive, so there its plain pointer is good.
#include "adapters/registry/registry.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "generation/await.h"
#include "model/base/log.h"

namespace weft::adapters {
namespace {

// Before anything is opened: a pipe would be waited on for ever.
Expected<void> check_files(const std::string& directory) {
  std::error_code code;
  if (!std::filesystem::is_directory(directory, code)) return make_error("{}: no such folder", directory);
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors"}) {
    const auto path = std::filesystem::path(directory) / name;
    if (!std::filesystem::exists(path, code)) return make_error("{} has no {}: not an adapter", directory, name);
    if (!std::filesystem::is_regular_file(path, code)) return make_error("{} is not a regular file", path.string());
  }
  return {};
}

}  // namespace

struct AdapterRegistry::State {
  std::mutex mutex;
  std::once_flag hashed;
  std::optional<Expected<std::string>> base_sha256;  // once it was asked for
  std::vector<InstalledAdapter> installed;           // in the order of installing; one a task, one a name

  // Outside of the mutex: those who only look at the list do not wait for it.
  const Expected<std::string>& hash_of(const BaseHash& compute) {
    std::call_once(hashed, [&] { base_sha256 = compute(); });
    return *base_sha256;
  }

  // Those that `added` takes the place of.
  std::vector<AdapterId> publish(const InstalledAdapter& added) {
    const std::lock_guard lock(mutex);
    std::vector<AdapterId> replaced;
    std::erase_if(installed, [&](const InstalledAdapter& other) {
      const bool same_task = !added.info.task.empty() && other.info.task == added.info.task;
      if (!same_task && other.info.name != added.info.name) return false;
      replaced.push_back(other.id);
      return true;
    });
    installed.push_back(added);
    return replaced;
  }
};

AdapterRegistry::AdapterRegistry(std::shared_ptr<generation::Engine> engine, model::ModelConfig base,
                                 BaseHash base_sha256)
    : engine_(std::move(engine)),
      base_(std::move(base)),
      base_sha256_(std::move(base_sha256)),
      state_(std::make_shared<State>()) {}

Expected<AdapterFiles> AdapterRegistry::read(const std::string& directory) const {
  if (const auto usable = check_files(directory); !usable) return usable.error();
  const auto& hash = state_->hash_of(base_sha256_);
  if (!hash) return make_error("the model cannot be told from others: {}", hash.error().message);
  return read_adapter(directory, base_, *hash);
}

void AdapterRegistry::add(const std::string& directory, std::function<void(Expected<InstalledAdapter>)> done) {
  auto files = read(directory);
  if (!files) return done(files.error());
  auto adapter = std::make_shared<const model::LoraAdapter>(std::move(files->adapter));
  engine_->install_adapter(std::move(adapter), [state = state_, engine = engine_.get(), info = std::move(files->info),
                                                directory, done = std::move(done)](Expected<AdapterId> id) {
    if (!id) return done(make_error("{}: {}", directory, id.error().message));
    InstalledAdapter added{*id, info, directory};
    for (const AdapterId replaced : state->publish(added)) engine->remove_adapter(replaced);
    spdlog::info("adapter {} ({}) is installed from {}", info.name, info.task, directory);
    done(std::move(added));
  });
}

Expected<InstalledAdapter> AdapterRegistry::add_now(const std::string& directory) {
  return generation::await<InstalledAdapter>(
      *engine_, [&](std::function<void(Expected<InstalledAdapter>)> done) { add(directory, std::move(done)); });
}

Expected<void> AdapterRegistry::remove(const std::string& name) {
  std::optional<AdapterId> removed;
  {
    const std::lock_guard lock(state_->mutex);
    std::vector<InstalledAdapter>& installed = state_->installed;
    const auto found = std::ranges::find_if(installed, [&](const auto& each) { return each.info.name == name; });
    if (found == installed.end()) {
      std::vector<std::string_view> names;
      for (const InstalledAdapter& each : installed) names.emplace_back(each.info.name);
      return make_error("no adapter '{}': there {}", name,
                        names.empty() ? "is none" : fmt::format("are {}", fmt::join(names, ", ")));
    }
    removed = found->id;
    installed.erase(found);
  }
  engine_->remove_adapter(*removed);
  spdlog::info("adapter {} is removed", name);
  return {};
}

std::vector<InstalledAdapter> AdapterRegistry::list() const {
  const std::lock_guard lock(state_->mutex);
  return state_->installed;
}

std::optional<InstalledAdapter> AdapterRegistry::for_task(std::string_view task) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = std::ranges::find_if(state_->installed, [&](const auto& each) { return each.info.task == task; });
  return found == state_->installed.end() ? std::nullopt : std::optional(*found);
}

std::vector<std::string> shipped_adapters(const std::string& model_directory) {
  std::vector<std::string> folders;
  std::error_code code;
  const auto folder = std::filesystem::path(model_directory) / "adapters";
  for (std::filesystem::directory_iterator each(folder, code), end; !code && each != end; each.increment(code)) {
    std::error_code ignored;
    if (each->is_directory(ignored)) folders.push_back(each->path().string());
  }
  std::ranges::sort(folders);
  return folders;
}

}  // namespace weft::adapters
