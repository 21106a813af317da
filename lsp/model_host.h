// ModelHost: loads the model on a thread of its own while the client is already being answered. I/O thread only; what
// the loading thread has to say arrives through the loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "lsp/action_backend.h"
#include "lsp/adapter_control.h"
#include "lsp/completion_backend.h"
#include "lsp/json_rpc.h"
#include "lsp/loop.h"

namespace weft::lsp {

enum class ModelState { kLoading, kReady, kFailed };

[[nodiscard]] std::string_view name_of(ModelState state);

class ModelHost {
 public:
  struct Listener {
    std::function<void(int percent)> on_progress;  // each percent at most once, rising
    std::function<void()> on_settled;              // ready or failed, once
  };

  ModelHost(Loop& loop, ModelLoader loader) : loop_(loop), loader_(std::move(loader)) {}
  // Waits for the loading thread.
  ~ModelHost();
  ModelHost(const ModelHost&) = delete;
  ModelHost& operator=(const ModelHost&) = delete;

  void start(Listener listener);

  [[nodiscard]] ModelState state() const { return state_; }
  [[nodiscard]] CompletionBackend* backend() const { return model_.backend.get(); }  // null unless ready
  [[nodiscard]] ActionBackend* actions() const { return model_.actions.get(); }      // null unless ready; may be null
  [[nodiscard]] AdapterControl* adapters() const { return model_.adapters.get(); }   // null unless ready; may be null
  [[nodiscard]] const std::vector<std::string>& warnings() const { return model_.warnings; }  // of a ready model
  [[nodiscard]] const model::RunnerInfo& info() const { return model_.info; }                 // empty unless ready
  [[nodiscard]] const std::string& error() const { return error_; }                           // empty unless failed
  // What `weft/status` answers: "state", the ready model's "model" and what its "engine" has done and the
  // "memory" of each project, the failed one's "error".
  [[nodiscard]] Json status() const;

 private:
  void load();
  void settle(Expected<ReadyModel> loaded);

  Loop& loop_;
  ModelLoader loader_;
  Listener listener_;
  ModelState state_ = ModelState::kLoading;
  ReadyModel model_;
  std::string error_;
  std::thread thread_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // tasks in the loop may outlive this
};

}  // namespace weft::lsp
