// AdapterRegistry: which adapters the running engine has, and which one serves a task. Files are read and validated on
// the caller's thread, published by the engine between two steps, retired when the last request that uses them has
// ended. One adapter a task: a newer one takes the older one's place. An adapter of no task is held and serves nothing.
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lora/peft.h"
#include "generation/engine.h"

namespace weft::adapters {

struct InstalledAdapter {
  AdapterId id;
  AdapterInfo info;
  std::string directory;
};

class AdapterRegistry {
 public:
  // The base's hash, see base_hash. It is asked for when the first adapter is read, since it costs a pass over all
  // weights.
  using BaseHash = std::function<Expected<std::string>()>;
  AdapterRegistry(std::shared_ptr<generation::Engine> engine, model::ModelConfig base, BaseHash base_sha256);

  // Reads and validates, installs nothing. Errors: those of read_adapter.
  [[nodiscard]] Expected<AdapterFiles> read(const std::string& directory) const;
  // `done` exactly once, on the engine thread or at once: what was installed, or why not. An adapter takes the place of
  // one of the same task, and of one of the same name.
  void add(const std::string& directory, std::function<void(Expected<InstalledAdapter>)> done);
  // Blocks until done; drives a sync-mode engine itself.
  Expected<InstalledAdapter> add_now(const std::string& directory);
  Expected<void> remove(const std::string& name);  // Error: no such adapter, listing those that are there
  [[nodiscard]] std::vector<InstalledAdapter> list() const;
  [[nodiscard]] std::optional<InstalledAdapter> for_task(std::string_view task) const;

 private:
  const std::shared_ptr<generation::Engine> engine_;
  const model::ModelConfig base_;
  const BaseHash base_sha256_;
  struct State;
  const std::shared_ptr<State> state_;
};

// The folders beside a model's files that hold an adapter each, DIRECTORY/adapters/TASK, by name.
[[nodiscard]] std::vector<std::string> shipped_adapters(const std::string& model_directory);

}  // namespace weft::adapters
