#include "lsp/action_lists.h"

#include <utility>

#include <fmt/format.h>

#include "generation/privacy/secrets.h"
#include "lsp/bug_warnings.h"

namespace weft::lsp {

void ActionLists::list(const Json& params, Reply reply) {
  const auto read = read_code_action(params);
  if (!read) return std::move(reply).error(ErrorCode::kInvalidParams, read.error().message);
  const Document* document = documents_.find(read->uri);
  if (document == nullptr) {
    return std::move(reply).error(ErrorCode::kInvalidParams, fmt::format("{} is not open", read->uri));
  }
  const bool readable = document->problem.empty() && !generation::is_secret_file(document->path);
  if (!readable) return std::move(reply).result(Json::array());
  Json actions = quick_fixes(*document, *read);
  const Abilities able = abilities();
  if (!wants_kind(*read, kRewriteKind) || (!able.generate && !able.refactor)) {
    return std::move(reply).result(actions);
  }
  for (Entry& older : take_if([&](const Entry& entry) { return entry.automatic && entry.uri == read->uri; })) {
    std::move(older.reply).result(Json::array());
  }
  if (entries_.size() == kMostOpenRequests) {
    return std::move(reply).error(ErrorCode::kRequestFailed, "too many lists of code actions are asked for at once");
  }
  const Key key = next_key_++;
  const RequestId job = worker_.submit(
      {.run =
           [this, &loop = loop_, alive = std::weak_ptr<const bool>(alive_), key, snapshot = *document,
            position = read->range.start, encoding = documents_.encoding(), able](const std::function<void()>&) {
             loop.post([this, alive, key, found = list_actions(snapshot, position, encoding, able)] {
               if (alive.lock()) finish(key, found);
             });
             return Worker::Stop{};
           },
       .drop = {},
       .failed =
           [this, &loop = loop_, alive = std::weak_ptr<const bool>(alive_), key](const Error&) {
             loop.post([this, alive, key] {
               if (alive.lock()) finish(key, {});
             });
           }});
  entries_.emplace(key, Entry{read->uri, read->automatic, std::move(reply), std::move(actions), job});
}

// While the model loads it is taken to be one that can: when the action is chosen, it will be there, or it is said why
// not.
Abilities ActionLists::abilities() const {
  if (model_.state() == ModelState::kLoading) return {.generate = true, .refactor = false};
  const ActionBackend* backend = model_.actions();
  if (backend == nullptr) return {};
  return {.generate = true, .refactor = backend->adapter_for("refactor").has_value()};
}

Json ActionLists::quick_fixes(const Document& document, const CodeActionParams& params) const {
  Json out = Json::array();
  if (!wants_kind(params, kQuickFixKind) || !client_.code_action.literals) return out;
  const PositionEncoding encoding = documents_.encoding();
  for (const adapters::Bug& bug : diagnostics_.warnings(document.uri)) {
    const std::uint32_t line = position_of(*document.text, bug.line.begin, encoding).line;
    if (line < params.range.start.line || line > params.range.end.line) continue;
    Json fix = quick_fix_json(bug, document, encoding, client_, params.diagnostics);
    if (!fix.is_null()) out.push_back(std::move(fix));
  }
  return out;
}

void ActionLists::finish(Key key, const std::vector<OfferedAction>& found) {
  const auto entry = entries_.extract(key);
  if (entry.empty()) return;
  Json& actions = entry.mapped().actions;
  for (const OfferedAction& action : found) {
    Json rendered = to_json(action, client_);
    if (!rendered.is_null()) actions.push_back(std::move(rendered));
  }
  std::move(entry.mapped().reply).result(actions);
}

std::vector<ActionLists::Entry> ActionLists::take_if(const std::function<bool(const Entry&)>& matches) {
  std::vector<Entry> out;
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto current = it++;
    if (!matches(current->second)) continue;
    worker_.cancel(current->second.job);
    out.push_back(std::move(entries_.extract(current).mapped()));
  }
  return out;
}

void ActionLists::cancel(const Json& id) {
  for (Entry& entry : take_if([&](const Entry& open) { return open.reply.id() == id; })) {
    std::move(entry.reply).error(ErrorCode::kRequestCancelled, "cancelled by the client");
  }
}

void ActionLists::withdraw_all() {
  for (Entry& entry : take_if([](const Entry&) { return true; })) std::move(entry.reply).result(Json::array());
}

}  // namespace weft::lsp
