#include "lsp/pending_completions.h"

#include <algorithm>
#include <utility>

#include "model/base/log.h"

namespace weft::lsp {

using generation::CompletionResult;

void PendingCompletions::start(CompletionJob job, Reply reply) {
  drop_if("superseded", [&](const Entry& entry) { return entry.job.kind == job.kind && entry.job.uri == job.uri; });
  const Key key = next_key_++;
  log_.asked(key, {job.uri, job.position, job.kind, job.request.trigger, job.request.document.version});
  if (model_.state() == ModelState::kFailed) {
    log_.ended(key, "no model");
    return std::move(reply).result(job.render({}));
  }
  const Loop::TimerId timer = loop_.after(options_.answer_limit, [this, key] {
    const auto found = entries_.find(key);
    if (found == entries_.end() || !found->second.reply) return;
    spdlog::debug("a completion took longer than {} ms", options_.answer_limit.count());
    withdraw(key, found->second, "timed out");
    if (!found->second.engine_id) entries_.erase(found);
  });
  entries_.emplace(key, Entry{std::move(job), std::move(reply), std::nullopt, timer});
  if (model_.state() == ModelState::kReady) launch(key);
}

void PendingCompletions::launch(Key key) {
  Entry& entry = entries_.at(key);
  const std::weak_ptr<const bool> alive = alive_;
  Loop& loop = loop_;
  entry.engine_id = model_.backend()->complete(
      std::move(entry.job.request), [this, &loop, alive, key](Expected<CompletionResult> result) {
        auto shared = std::make_shared<Expected<CompletionResult>>(std::move(result));
        loop.post([this, alive, key, shared] {
          if (alive.lock()) finish(key, std::move(*shared));
        });
      });
}

void PendingCompletions::finish(Key key, Expected<CompletionResult> result) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  Entry entry = std::move(found->second);
  entries_.erase(found);
  if (!result) {
    spdlog::warn("a completion failed: {}", result.error().message);
    if (options_.on_error) options_.on_error(result.error());
  }
  if (result) log_.answered(key, *result);
  if (!entry.reply) return;
  if (!result) log_.failed(key, result.error());
  if (!result || result->cancelled) return withdraw(key, entry, "cancelled");
  log_.ended(key, result->items.empty() ? "nothing" : "offered");
  if (options_.on_result) options_.on_result(*result);
  const Json answer = entry.job.render(*result);
  take_reply(entry).result(answer);
}

Reply PendingCompletions::take_reply(Entry& entry) {
  loop_.cancel_timer(entry.timer);
  Reply reply = std::move(*entry.reply);
  entry.reply.reset();
  return reply;
}

void PendingCompletions::withdraw(Key key, Entry& entry, std::string_view outcome) {
  log_.ended(key, outcome);
  if (entry.reply) take_reply(entry).result(entry.job.withdrawn);
}

void PendingCompletions::stop(const Entry& entry) {
  if (entry.engine_id) model_.backend()->cancel(*entry.engine_id);
}

void PendingCompletions::drop_if(std::string_view outcome, const std::function<bool(const Entry&)>& matches) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    Entry& entry = it->second;
    if (!matches(entry)) {
      ++it;
      continue;
    }
    withdraw(it->first, entry, outcome);
    stop(entry);
    it = entry.engine_id ? std::next(it) : entries_.erase(it);
  }
}

void PendingCompletions::cancel(const Json& id) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const auto& item) { return item.second.reply && item.second.reply->id() == id; });
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  log_.ended(found->first, "cancelled");
  take_reply(entry).error(ErrorCode::kRequestCancelled, "cancelled by the client");
  stop(entry);
  if (!entry.engine_id) entries_.erase(found);
}

void PendingCompletions::document_changed(std::string_view uri) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    Entry& entry = it->second;
    if (entry.job.uri == uri) withdraw(it->first, entry, "the document changed");
    it = entry.reply || entry.engine_id ? std::next(it) : entries_.erase(it);
  }
}

void PendingCompletions::document_closed(std::string_view uri) {
  drop_if("the document was closed", [&](const Entry& entry) { return entry.job.uri == uri; });
}

void PendingCompletions::model_settled() {
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto current = it++;  // an answer that is there at once does not touch the table: it comes through the loop
    if (model_.state() == ModelState::kReady) {
      launch(current->first);
      continue;
    }
    log_.ended(current->first, "no model");
    const Json answer = current->second.job.render({});
    take_reply(current->second).result(answer);
    entries_.erase(current);
  }
}

void PendingCompletions::withdraw_all() {
  drop_if("shut down", [](const Entry&) { return true; });
}

std::size_t PendingCompletions::open_requests() const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const auto& item) { return item.second.reply.has_value(); }));
}

}  // namespace weft::lsp
