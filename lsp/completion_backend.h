// CompletionBackend: where completions come from, as the server sees it. The daemon's is the completion service over
// the model it loaded; tests bring a fake. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "generation/completion/completion.h"
#include "model/base/expected.h"
#include "model/runner.h"

namespace weft::lsp {

class CompletionBackend {
 public:
  using Done = generation::CompletionService::Done;

  virtual ~CompletionBackend() = default;
  // `done` is called exactly once, on any thread, perhaps before this returns; also after a cancel.
  virtual RequestId complete(generation::CompletionRequest request, Done done) = 0;
  virtual void cancel(RequestId id) = 0;
  // A file was written or removed on disk, by whomever.
  virtual void file_changed(const std::string& path) = 0;
  [[nodiscard]] virtual std::vector<generation::MemoryState> memory_state() const = 0;
};

class ActionBackend;
class AdapterControl;

struct ReadyModel {
  std::shared_ptr<CompletionBackend> backend;
  model::RunnerInfo info;
  std::shared_ptr<ActionBackend> actions = nullptr;      // null: nothing but completions
  std::shared_ptr<AdapterControl> adapters = nullptr;    // null: the model takes none
  std::vector<std::string> warnings{};                   // for the user: adapters that could not be installed
  std::function<generation::EngineMetrics()> metrics{};  // thread-safe; empty where there is no engine
};

// Runs on a thread of its own; `progress` may be called there with a fraction of 1.
using ModelLoader = std::function<Expected<ReadyModel>(const std::function<void(double fraction)>& progress)>;

// The real one: owns the service, and with it the engine.
[[nodiscard]] std::shared_ptr<CompletionBackend> make_backend(std::unique_ptr<generation::CompletionService> service);

}  // namespace weft::lsp
