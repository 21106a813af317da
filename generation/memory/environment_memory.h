// EnvironmentMemory: what the Python environment of a project says, found, built and kept in memory by a thread of its
// own that yields to all others. It begins with nothing; where the environment has changed since the last time, what
// was built of it then serves until the new one is there. Bounded in files, bytes and tokens: what the project imports
// goes first. The rules of files and secrets are ProjectMemory's. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "generation/files/clean.h"
#include "generation/files/python_environment.h"
#include "generation/memory/environment_index.h"
#include "generation/memory/environment_store.h"
#include "model/base/cancel.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

struct EnvironmentLimits {
  PythonPackagesLimits packages{};
  std::size_t tokens = 32'000'000;  // 8 bytes each, on disk
  CleanLimits files{};              // each one's
};

// Where environments are looked for, and where what is built of them lies.
struct EnvironmentOptions {
  std::string folder{};  // EnvironmentStore's; empty: there is no such memory
  PythonVariables variables{};
  EnvironmentLimits limits{};
  std::chrono::milliseconds build_after{10'000};  // nothing is built before: an editor that starts has enough to do
};

struct EnvironmentState {
  enum class Step : std::uint8_t { kLooking, kBuilding, kReady, kNone };
  Step step = Step::kLooking;
  std::size_t files = 0, tokens = 0;  // of what serves
  std::size_t file_bytes = 0, held_bytes = 0;
  std::string problem{};  // why there is none; empty where there simply is no environment
};
[[nodiscard]] std::string_view name_of(EnvironmentState::Step step);

// The index of these packages: the one in the store, or a new one. Errors: EnvironmentStore's; a vocabulary that an
// index has no room for.
struct EnvironmentPlan {
  std::uint64_t environment = 0, key = 0;  // EnvironmentStore's
  std::vector<PythonPackage> packages;
};
[[nodiscard]] EnvironmentPlan plan_environment(const PythonEnvironment& environment,
                                               std::vector<PythonPackage> packages, const EnvironmentLimits& limits,
                                               const model::Tokenizer& tokenizer);
Expected<std::shared_ptr<const EnvironmentIndex>> build_environment(const EnvironmentPlan& plan,
                                                                    const EnvironmentLimits& limits,
                                                                    const model::Tokenizer& tokenizer,
                                                                    const EnvironmentStore& store,
                                                                    const CancelFlag& cancel);

class EnvironmentMemory {
 public:
  EnvironmentMemory(std::shared_ptr<const model::Tokenizer> tokenizer, std::string root, EnvironmentOptions options);
  ~EnvironmentMemory();  // within the time that sorting a million tokens takes
  EnvironmentMemory(const EnvironmentMemory&) = delete;
  EnvironmentMemory& operator=(const EnvironmentMemory&) = delete;

  // For a request in that file; null where nothing is known, and for files of the environment itself.
  [[nodiscard]] std::shared_ptr<const EnvironmentIndex> text_for(const std::string& path) const;
  [[nodiscard]] EnvironmentState state() const;
  // Blocks until it has found and built what it can.
  void wait() const;

 private:
  void work();
  [[nodiscard]] Expected<void> find_or_build();
  void publish(std::shared_ptr<const EnvironmentIndex> index, EnvironmentState::Step step);
  // What serves: all of it once, where there is much room; then what look-ups had to do without.
  void read_once() const;
  void follow_missed() const;
  void fetch(const EnvironmentIndex& index, std::span<const std::byte> part) const;

  const std::shared_ptr<const model::Tokenizer> tokenizer_;
  const std::string root_;
  const EnvironmentOptions options_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  EnvironmentState state_;
  std::shared_ptr<const EnvironmentIndex> published_;
  std::vector<std::string> own_folders_;
  CancelFlag stop_;

  std::thread thread_;  // last: it uses the others
};

}  // namespace weft::generation
