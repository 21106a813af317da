// ActionRuns: the code actions that were chosen, from codeAction/resolve or workspace/executeCommand to the edit. I/O
// thread only. The worker finds the place again, the model writes, the edit goes out.
//
// - Several may run at once, also for the same document. Each shows its progress, which can be cancelled there.
// - A document that is not the one the action was found in, or that changes or closes meanwhile: ContentModified, and
//   the model stops. An edit always fits the version it names.
// - The client cancels the request or its progress: RequestCancelled at once, and the model stops.
// - While the model loads they wait; what it cannot do is RequestFailed, with the reason.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/code_action.h"
#include "lsp/dispatcher.h"
#include "lsp/document_store.h"
#include "lsp/loop.h"
#include "lsp/model_host.h"
#include "lsp/reply.h"
#include "lsp/work_progress.h"
#include "lsp/worker.h"

namespace weft::lsp {

class ActionRuns {
 public:
  static constexpr std::size_t kMostOpenRequests = 16;  // more are RequestFailed

  ActionRuns(Loop& loop, Dispatcher& dispatcher, Worker& worker, const ModelHost& model, const DocumentStore& documents)
      : loop_(loop), dispatcher_(dispatcher), worker_(worker), model_(model), documents_(documents) {}

  // Before the first request, once.
  void set_client(const ClientCapabilities& client) { client_ = client; }
  void resolve(const Json& action, Reply reply);
  void execute(const Json& params, Reply reply);
  void cancel(const Json& id);                  // unknown ids are ignored
  void cancel_progress(const Json& token);      // unknown tokens are ignored
  void document_changed(std::string_view uri);  // or was closed, or opened anew
  void model_settled();
  void withdraw_all();

  [[nodiscard]] std::size_t open_requests() const { return entries_.size(); }

 private:
  using Key = std::uint64_t;
  struct Entry {
    Json action;  // the CodeAction that is resolved; null: a command
    ActionData data;
    Reply reply;
    WorkProgress progress;
    std::optional<ActionPlace> place;  // once found
    RequestId job;                     // of the worker
    std::optional<RequestId> run;      // of the model
  };
  using Located = Expected<std::variant<ActionPlace, StaleAction>>;

  // `params`: of the request. Its workDoneToken shows the progress, where it has one.
  void start(Json action, const Json& data, const Json& params, Reply reply);
  WorkProgress progress_for(ActionKind kind, const Json& token);
  void located(Key key, Located result);
  void launch(Key key);
  void finish(Key key, Expected<adapters::TextEdit> result);
  void apply(Entry entry, const Json& edit);
  void stop(const Entry& entry);
  void fail(Key key, ErrorCode code, const std::string& message);  // unknown keys are ignored
  void fail_if(const std::function<bool(const Entry&)>& matches, ErrorCode code, const std::string& message);
  // Runs `then` with what another thread hands over, on the I/O thread, unless this is gone.
  template <class T>
  std::function<void(T)> on_loop(std::function<void(T)> then);

  Loop& loop_;
  Dispatcher& dispatcher_;
  Worker& worker_;
  const ModelHost& model_;
  const DocumentStore& documents_;
  ClientCapabilities client_;
  std::map<Key, Entry> entries_;
  Key next_key_ = 1;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // tasks in the loop may outlive this
};

}  // namespace weft::lsp
