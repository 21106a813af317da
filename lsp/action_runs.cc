#include "lsp/action_runs.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "lsp/workspace_edit.h"
#include "model/base/log.h"

namespace weft::lsp {
namespace {

using adapters::TextEdit;
using Functions = std::vector<adapters::GeneratedFunction>;

constexpr const char* kCancelled = "cancelled by the client";
constexpr const char* kStale = "the document has changed since the action was offered: ask for the actions again";

// The best that parses at its place; what does not is no help to anybody.
Expected<TextEdit> edit_of(const adapters::FunctionRequestPlace& place, const Expected<Functions>& written) {
  if (!written) return written.error();
  const auto best =
      std::find_if(written->begin(), written->end(), [](const auto& function) { return function.parses; });
  if (best == written->end()) return make_error("the model wrote no function that parses here");
  return TextEdit{place.replaced, best->code};
}

}  // namespace

template <class T>
std::function<void(T)> ActionRuns::on_loop(std::function<void(T)> then) {
  return [&loop = loop_, alive = std::weak_ptr<const bool>(alive_), then = std::move(then)](T value) {
    auto held = std::make_shared<T>(std::move(value));
    loop.post([alive, then, held] {
      if (alive.lock()) then(std::move(*held));
    });
  };
}

void ActionRuns::resolve(const Json& action, Reply reply) {
  // Some clients have every action resolved; a quick fix has its edit already.
  if (action.is_object() && action.contains("edit") && !action.contains("data")) return std::move(reply).result(action);
  Json resolved = action;
  if (resolved.is_object()) resolved.erase("workDoneToken");
  const Json data = action.is_object() ? action.value("data", Json()) : Json();
  start(std::move(resolved), data, action, std::move(reply));
}

void ActionRuns::execute(const Json& params, Reply reply) {
  const auto command = read_execute_command(params);
  if (!command) return std::move(reply).error(ErrorCode::kInvalidParams, command.error().message);
  if (command->command != kApplyCommand || command->arguments.size() != 1) {
    return std::move(reply).error(ErrorCode::kInvalidParams,
                                  fmt::format("weft has one command: {} with one argument", kApplyCommand));
  }
  if (!client_.applies_edits) {
    return std::move(reply).error(ErrorCode::kRequestFailed, "the client does not take workspace/applyEdit");
  }
  start(nullptr, command->arguments.at(0), params, std::move(reply));
}

void ActionRuns::start(Json action, const Json& data, const Json& params, Reply reply) {
  const auto read = read_action_data(data);
  if (!read) return std::move(reply).error(ErrorCode::kInvalidParams, read.error().message);
  const Document* document = documents_.find(read->uri);
  if (document == nullptr || !document->problem.empty()) {
    return std::move(reply).error(ErrorCode::kContentModified, kStale);
  }
  if (entries_.size() == kMostOpenRequests) {
    return std::move(reply).error(ErrorCode::kRequestFailed, "too many code actions are at work");
  }
  const Key key = next_key_++;
  const auto then = on_loop<Located>([this, key](Located result) { located(key, std::move(result)); });
  const RequestId job = worker_.submit(
      {.run =
           [then, snapshot = *document, data = *read, encoding = documents_.encoding()](const std::function<void()>&) {
             then(find_place(snapshot, data, encoding));
             return Worker::Stop{};
           },
       .drop = {},
       .failed = then});
  const Json token = read_progress_token(params, "workDoneToken");
  Entry entry{std::move(action), *read, std::move(reply), progress_for(read->kind, token),
              std::nullopt,      job,   std::nullopt};
  Entry& added = entries_.emplace(key, std::move(entry)).first->second;
  if (client_.work_done_progress || !token.is_null()) added.progress.begin();
}

WorkProgress ActionRuns::progress_for(ActionKind kind, const Json& token) {
  const bool generates = kind == ActionKind::kGenerateFunction;
  WorkLabel label{token, TokenOrigin::kClient, generates ? "weft: writing a function" : "weft: refactoring", true};
  if (token.is_null()) {
    label.token = fmt::format("weft/action/{}", next_key_);
    label.origin = TokenOrigin::kServer;
  }
  return {dispatcher_, std::move(label)};
}

void ActionRuns::located(Key key, Located result) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  if (!result) return fail(key, ErrorCode::kInvalidParams, result.error().message);
  if (std::holds_alternative<StaleAction>(*result)) return fail(key, ErrorCode::kContentModified, kStale);
  found->second.place = std::get<ActionPlace>(*std::move(result));
  if (model_.state() != ModelState::kLoading) launch(key);
}

void ActionRuns::launch(Key key) {
  if (model_.state() == ModelState::kFailed) {
    return fail(key, ErrorCode::kRequestFailed, fmt::format("weft has no model: {}", model_.error()));
  }
  ActionBackend* backend = model_.actions();
  if (backend == nullptr) return fail(key, ErrorCode::kRequestFailed, "the model offers completions alone");
  Entry& entry = entries_.at(key);
  const Document& document = *documents_.find(entry.data.uri);
  generation::DocumentView view{document.path, document.language, document.text, document.version};
  if (const auto* function = std::get_if<adapters::FunctionRequestPlace>(&*entry.place)) {
    entry.run = backend->generate_function(
        std::move(view), *function,
        on_loop<Expected<Functions>>([this, key, place = *function](const Expected<Functions>& written) {
          finish(key, edit_of(place, written));
        }));
  } else {
    entry.run = backend->refactor(
        std::move(view), std::get<adapters::RefactorPlace>(*entry.place),
        on_loop<Expected<TextEdit>>([this, key](Expected<TextEdit> edit) { finish(key, std::move(edit)); }));
  }
}

void ActionRuns::finish(Key key, Expected<TextEdit> result) {
  if (!entries_.contains(key)) return;  // cancelled, or the document changed
  if (!result) return fail(key, ErrorCode::kRequestFailed, result.error().message);
  Entry entry = std::move(entries_.extract(key).mapped());
  entry.progress.end("done");
  const Document& document = *documents_.find(entry.data.uri);
  const Json edit = workspace_edit(document, to_json(*result, *document.text, documents_.encoding()), client_);
  if (entry.action.is_null()) return apply(std::move(entry), edit);
  entry.action["edit"] = edit;
  std::move(entry.reply).result(entry.action);
}

// The command has been carried out once the client has taken the edit.
void ActionRuns::apply(Entry entry, const Json& edit) {
  auto reply = std::make_shared<Reply>(std::move(entry.reply));
  dispatcher_.call("workspace/applyEdit", {{"label", "weft"}, {"edit", edit}}, [reply](const Response& response) {
    if (response.result.is_object() && response.result.value("applied", Json()) == true) {
      return std::move(*reply).result(nullptr);
    }
    std::move(*reply).error(ErrorCode::kRequestFailed, "the client did not apply the edit");
  });
}

void ActionRuns::stop(const Entry& entry) {
  worker_.cancel(entry.job);
  if (entry.run) model_.actions()->cancel(*entry.run);
}

void ActionRuns::fail(Key key, ErrorCode code, const std::string& message) {
  auto node = entries_.extract(key);
  if (node.empty()) return;
  Entry& entry = node.mapped();
  stop(entry);
  entry.progress.end(message);
  spdlog::info("a code action ended without an edit: {}", message);
  std::move(entry.reply).error(code, message);
}

void ActionRuns::fail_if(const std::function<bool(const Entry&)>& matches, ErrorCode code, const std::string& message) {
  std::vector<Key> keys;
  for (const auto& [key, entry] : entries_) {
    if (matches(entry)) keys.push_back(key);
  }
  for (const Key key : keys) fail(key, code, message);
}

void ActionRuns::cancel(const Json& id) {
  fail_if([&](const Entry& entry) { return entry.reply.id() == id; }, ErrorCode::kRequestCancelled, kCancelled);
}

void ActionRuns::cancel_progress(const Json& token) {
  fail_if([&](const Entry& entry) { return entry.progress.token() == token; }, ErrorCode::kRequestCancelled,
          kCancelled);
}

void ActionRuns::document_changed(std::string_view uri) {
  fail_if([&](const Entry& entry) { return entry.data.uri == uri; }, ErrorCode::kContentModified, kStale);
}

void ActionRuns::model_settled() {
  std::vector<Key> waiting;
  for (const auto& [key, entry] : entries_) {
    if (entry.place) waiting.push_back(key);
  }
  for (const Key key : waiting) launch(key);
}

void ActionRuns::withdraw_all() {
  fail_if([](const Entry&) { return true; }, ErrorCode::kRequestCancelled, "weft is shutting down");
}

}  // namespace weft::lsp
