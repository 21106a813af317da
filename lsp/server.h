// Server: one client's session, without any I/O of its own: bodies in, bodies out. I/O thread only. Owns the documents,
// the requests under way and the model; knows methods and capabilities, and leaves each feature to its own file.
//
// The client is answered from the first message on. While the model loads, requests for completions wait (see
// pending_completions.h); a model that cannot be loaded is told once, and then they are answered empty.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/action_lists.h"
#include "lsp/action_runs.h"
#include "lsp/adapter_methods.h"
#include "lsp/diagnostics.h"
#include "lsp/dispatcher.h"
#include "lsp/document_store.h"
#include "lsp/loop.h"
#include "lsp/model_host.h"
#include "lsp/pending_completions.h"
#include "lsp/protocol.h"
#include "lsp/work_progress.h"
#include "lsp/worker.h"

namespace weft::lsp {

struct ServerOptions {
  std::string version;
  PendingOptions pending;
  DiagnosticsOptions diagnostics;
};

class Server {
 public:
  // `send` gets bodies in the order they have to go out.
  Server(Loop& loop, Reply::Send send, ModelLoader loader, ServerOptions options);

  // Before the first message: begins to load the model.
  void start();
  void receive(std::string_view body) { client_.receive(body); }
  void receive_bad_frame(const Error& error) { client_.receive_bad_frame(error); }

  [[nodiscard]] std::optional<int> exit_code() const { return client_.exit_code(); }
  [[nodiscard]] int exit_code_at_end() const { return client_.exit_code_at_end(); }
  [[nodiscard]] const ModelHost& model() const { return model_; }
  [[nodiscard]] const DocumentStore& documents() const { return documents_; }

 private:
  void register_lifecycle();
  void register_documents();
  void register_completions();
  void register_actions();
  void document_closed(const std::string& uri);
  void file_changed(const std::string& uri);
  void watch_files();
  Expected<Json> initialize(const Json& params);
  void initialized();
  void model_settled();
  void tell_model_failure();
  void tell_warnings();
  void engine_failed(const Error& error);
  void log_to_client(const Error& error);
  // With the other documents that are open, and the folder that it lies in.
  void start_completion(CompletionJob job, Reply reply);
  [[nodiscard]] std::string root_of(std::string_view path) const;
  // Null after answering that the document is not open.
  const Document* open_document(const std::string& uri, Reply& reply);

  Dispatcher client_;
  DocumentStore documents_;
  ModelHost model_;
  Worker worker_;  // what it hands over finds its way back through the loop
  PendingCompletions pending_;
  Diagnostics diagnostics_;
  ActionLists action_lists_;
  ActionRuns action_runs_;
  AdapterMethods adapter_methods_;
  WorkProgress loading_;
  std::string version_;
  std::vector<std::string> roots_;  // the workspace's folders
  bool client_shows_progress_ = false;
  bool client_watches_files_ = false;
  bool initialized_ = false;
  std::string last_failure_;
};

}  // namespace weft::lsp
