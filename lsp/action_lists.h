// ActionLists: the textDocument/codeAction requests under way. I/O thread only; the worker finds the places. Quick
// fixes of published warnings are at hand; nothing here waits for the model.
//
// An answer is about the version that was asked about: each action carries it, and is refused when chosen too late.
// Editors ask by themselves as the cursor moves, so a newer request for the same document takes the place of an older
// automatic one, which is answered empty. A cancelled one is answered RequestCancelled at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/code_action.h"
#include "lsp/diagnostics.h"
#include "lsp/document_store.h"
#include "lsp/loop.h"
#include "lsp/model_host.h"
#include "lsp/reply.h"
#include "lsp/worker.h"

namespace weft::lsp {

class ActionLists {
 public:
  static constexpr std::size_t kMostOpenRequests = 64;  // more are RequestFailed

  ActionLists(Loop& loop, Worker& worker, const ModelHost& model, const DocumentStore& documents,
              const Diagnostics& diagnostics)
      : loop_(loop), worker_(worker), model_(model), documents_(documents), diagnostics_(diagnostics) {}

  // Before the first request, once.
  void set_client(const ClientCapabilities& client) { client_ = client; }
  void list(const Json& params, Reply reply);
  void cancel(const Json& id);  // unknown ids are ignored
  void withdraw_all();          // answered empty

  [[nodiscard]] std::size_t open_requests() const { return entries_.size(); }

 private:
  using Key = std::uint64_t;
  struct Entry {
    std::string uri;
    bool automatic = false;
    Reply reply;
    Json actions;  // those that are at hand
    RequestId job;
  };

  Abilities abilities() const;
  Json quick_fixes(const Document& document, const CodeActionParams& params) const;
  void finish(Key key, const std::vector<OfferedAction>& found);
  // Takes what `matches` from the table and the worker.
  std::vector<Entry> take_if(const std::function<bool(const Entry&)>& matches);

  Loop& loop_;
  Worker& worker_;
  const ModelHost& model_;
  const DocumentStore& documents_;
  const Diagnostics& diagnostics_;
  ClientCapabilities client_;
  std::map<Key, Entry> entries_;
  Key next_key_ = 1;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // tasks in the loop may outlive this
};

}  // namespace weft::lsp
