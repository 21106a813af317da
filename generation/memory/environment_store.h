// EnvironmentStore: the folder in which indices of environments lie, shared by all programs of a user. A file is whole
// under its name or not there. Who builds one holds the folder's lock, so that there is one build at a time. Any
// thread; it waits for the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "generation/memory/environment_builder.h"
#include "generation/memory/environment_index.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"

namespace weft::generation {

class EnvironmentStore {
 public:
  // kept: files; those used longest ago go.
  explicit EnvironmentStore(std::string folder, std::size_t kept = 3, AskMemory ask = ask_memory)
      : folder_(std::move(folder)), kept_(kept), ask_(std::move(ask)) {}

  // `environment`: of which environment, whatever is in it; `key`: of what it is made from. Null: there is no good one.
  [[nodiscard]] std::shared_ptr<const EnvironmentIndex> find(std::uint64_t environment, std::uint64_t key) const;
  // The newest of that environment, made from whatever; null: there is none.
  [[nodiscard]] std::shared_ptr<const EnvironmentIndex> find_any(std::uint64_t environment) const;

  using Fill = std::function<Expected<void>(EnvironmentBuilder&)>;
  // Waits for whoever builds one, and takes theirs if it is the same. Errors: the disk's, fill's, cancelled.
  Expected<std::shared_ptr<const EnvironmentIndex>> build(std::uint64_t environment, std::uint64_t key,
                                                          const Fill& fill, const CancelFlag& cancel) const;

 private:
  [[nodiscard]] std::string path_of(std::uint64_t environment, std::uint64_t key) const;
  void tidy(const std::string& used) const;

  const std::string folder_;
  const std::size_t kept_;
  const AskMemory ask_;  // of the indices that it opens
};

// Of a user: XDG_CACHE_HOME, else HOME/.cache, and in it weft/environments; "" where neither is set.
[[nodiscard]] std::string environment_folder(const std::string& xdg_cache_home, const std::string& home);

}  // namespace weft::generation
