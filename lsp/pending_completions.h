// PendingCompletions: the requests for completions that are under way, from the Reply to the engine and back. I/O
// thread only.
//
// How requests meet each other and the world:
// - A newer request of the same kind for the same document supersedes the older one: the older is answered at once with
//   its `withdrawn` value and the engine stops it at its next step.
// - The client cancels: RequestCancelled at once, and the engine stops.
// - The document changes: the answer would be about a text that is gone, so the request is answered with `withdrawn` at
//   once. The engine goes on until it is done or a newer request comes: what it finds is in the result cache when the
//   change was the user typing along.
// - The document closes: `withdrawn`, and the engine stops.
// - While the model loads requests wait; when it cannot be loaded they are answered empty.
// - What is open for `answer_limit` is answered with `withdrawn`; the engine goes on.
// The service answers sooner than that with the lines that are finished (CompletionOptions::first_answer_ms); what goes
// on after an answer is its own, and superseding does not end it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "generation/completion/completion.h"
#include "lsp/completion_log.h"
#include "lsp/loop.h"
#include "lsp/model_host.h"
#include "lsp/reply.h"

namespace weft::lsp {

struct CompletionJob {
  OfferKind kind = OfferKind::kInline;
  std::string uri;
  Position position;
  generation::CompletionRequest request;
  std::function<Json(const generation::CompletionResult&)> render;  // an empty result too
  Json withdrawn;                                                   // the answer when there will be none
};

struct PendingOptions {
  std::chrono::milliseconds answer_limit{5000};
  std::function<void(const generation::CompletionResult&)>
      on_result;                               // sees what is about to be answered; may be empty
  std::function<void(const Error&)> on_error;  // the engine failed; may be empty
};

class PendingCompletions {
 public:
  PendingCompletions(Loop& loop, const ModelHost& model, PendingOptions options)
      : loop_(loop), model_(model), options_(std::move(options)) {}

  void start(CompletionJob job, Reply reply);
  void cancel(const Json& id);  // unknown ids are ignored
  void document_changed(std::string_view uri);
  void document_closed(std::string_view uri);
  void model_settled();
  void withdraw_all();

  [[nodiscard]] std::size_t open_requests() const;  // not yet answered
  [[nodiscard]] const CompletionLog& log() const { return log_; }

 private:
  using Key = std::uint64_t;
  struct Entry {
    CompletionJob job;
    std::optional<Reply> reply;          // empty once answered
    std::optional<RequestId> engine_id;  // empty while the model loads
    Loop::TimerId timer = 0;
  };

  void launch(Key key);
  void finish(Key key, Expected<generation::CompletionResult> result);
  void withdraw(Key key, Entry& entry, std::string_view outcome);
  void stop(const Entry& entry);
  Reply take_reply(Entry& entry);
  // Withdraws and stops what `matches`; forgets what the engine has not begun.
  void drop_if(std::string_view outcome, const std::function<bool(const Entry&)>& matches);

  Loop& loop_;
  const ModelHost& model_;
  PendingOptions options_;
  std::map<Key, Entry> entries_;
  Key next_key_ = 1;
  CompletionLog log_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // tasks in the loop may outlive this
};

}  // namespace weft::lsp
