#include "lsp/diagnostics.h"

#include <algorithm>
#include <utility>

#include "generation/privacy/secrets.h"
#include "model/base/log.h"

namespace weft::lsp {
namespace {

using adapters::Bug;

// The adapter's language: what the task's data is made of.
const generation::Language* checked_language(const Document& document) {
  const generation::Language* language = generation::find_language(document.language, document.path);
  return language != nullptr && language->name == "python" ? language : nullptr;
}

bool may_be_checked(const Document& document) {
  return document.problem.empty() && checked_language(document) != nullptr &&
         document.text->size() <= generation::ParseLimits{}.limit_bytes && !generation::is_secret_file(document.path);
}

}  // namespace

std::optional<AdapterId> Diagnostics::adapter() const {
  const ActionBackend* backend = model_.actions();
  return backend == nullptr ? std::nullopt : backend->adapter_for("bug-detection");
}

void Diagnostics::saved(const std::string& uri) {
  const Document* document = documents_.find(uri);
  if (!enabled_ || document == nullptr || !may_be_checked(*document)) return;
  const auto serving = adapter();
  const auto known = entries_.find(uri);
  if (!serving) {
    if (known != entries_.end()) forget(known);
    return;
  }
  Entry& entry = entries_[uri];
  stop(entry);
  if (entry.adapter != serving) entry.checked = nullptr;
  entry.adapter = serving;
  entry.text = document->text;
  const std::uint64_t check = entry.check = next_check_++;
  entry.timer = loop_.after(options_.debounce, [this, uri, check] { plan(uri, check); });
}

void Diagnostics::plan(const std::string& uri, std::uint64_t check) {
  Entry* entry = current(uri, check);
  if (entry == nullptr) return;
  entry->timer = 0;
  const Document& document = *documents_.find(uri);
  const auto hand_over = [this, &loop = loop_, alive = std::weak_ptr<const bool>(alive_), uri,
                          check](Expected<std::optional<CheckPlan>> planned) {
    loop.post([this, alive, uri, check, planned = std::move(planned)] {
      if (alive.lock()) look(uri, check, planned);
    });
  };
  entry->job = worker_.submit({.run =
                                   [hand_over, language = checked_language(document), before = entry->checked,
                                    now = document.text](const std::function<void()>&) {
                                     const auto known =
                                         before ? std::optional<std::string_view>(*before) : std::nullopt;
                                     hand_over(plan_check(*language, known, *now));
                                     return Worker::Stop{};
                                   },
                               .drop = {},
                               .failed = hand_over});
}

void Diagnostics::look(const std::string& uri, std::uint64_t check, Expected<std::optional<CheckPlan>> planned) {
  Entry* entry = current(uri, check);
  if (entry == nullptr) return;
  if (!planned) {
    spdlog::info("{} is not checked: {}", uri, planned.error().message);
    return stop(*entry);
  }
  const Document& document = *documents_.find(uri);
  if (!*planned) {  // nothing new to look at
    entry->checked = document.text;
    return stop(*entry);
  }
  const CheckPlan plan = **planned;
  generation::DocumentView view{document.path, document.language, document.text, document.version};
  // Whoever gave the adapter is still there: a model that is ready stays.
  entry->run = model_.actions()->find_bugs(std::move(view), plan.changed,
                                           [this, &loop = loop_, alive = std::weak_ptr<const bool>(alive_), uri, check,
                                            plan](Expected<std::vector<Bug>> found) {
                                             loop.post([this, alive, uri, check, plan, found = std::move(found)] {
                                               if (alive.lock()) settle(uri, check, plan, found);
                                             });
                                           });
}

void Diagnostics::settle(const std::string& uri, std::uint64_t check, const CheckPlan& plan,
                         Expected<std::vector<Bug>> found) {
  Entry* entry = current(uri, check);
  if (entry == nullptr) return;
  entry->run.reset();
  stop(*entry);
  if (!found) {
    spdlog::warn("looking for bugs failed: {}", found.error().message);
    if (options_.on_error) options_.on_error(found.error());
    return;
  }
  const bool had = !entry->warnings.empty();
  std::erase_if(entry->warnings, [&](const Bug& bug) {
    return std::any_of(plan.checked.begin(), plan.checked.end(), [&](const generation::ByteRange& range) {
      return range.begin <= bug.line.begin && bug.line.begin < range.end;
    });
  });
  entry->warnings.insert(entry->warnings.end(), found->begin(), found->end());
  entry->checked = documents_.find(uri)->text;
  if (had || !entry->warnings.empty()) publish(uri, *entry);
}

void Diagnostics::changed(std::string_view uri) {
  const auto found = entries_.find(uri);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  stop(entry);
  const Document* document = documents_.find(uri);
  if (document == nullptr || !document->problem.empty()) return forget(found);  // nobody knows where things stand
  if (entry.warnings.empty() || document->text == entry.text) return;
  CarriedOver left = carry_over(std::move(entry.warnings), *entry.text, *document->text);
  entry.warnings = std::move(left.bugs);
  entry.text = document->text;
  if (left.look_different) publish(found->first, entry);
}

void Diagnostics::closed(std::string_view uri) {
  if (const auto found = entries_.find(uri); found != entries_.end()) forget(found);
}

void Diagnostics::stop_all() {
  for (auto& [uri, entry] : entries_) stop(entry);
}

const std::vector<Bug>& Diagnostics::warnings(std::string_view uri) const {
  static const std::vector<Bug> kNone;
  const auto found = entries_.find(uri);
  return found == entries_.end() ? kNone : found->second.warnings;
}

void Diagnostics::stop(Entry& entry) {
  if (entry.check == 0) return;
  loop_.cancel_timer(entry.timer);
  worker_.cancel(entry.job);
  if (entry.run) model_.actions()->cancel(*entry.run);
  entry.check = 0;
  entry.timer = 0;
  entry.job = RequestId(0);
  entry.run.reset();
}

void Diagnostics::forget(Entries::iterator found) {
  stop(found->second);
  const bool shown = !found->second.warnings.empty();
  const std::string uri = found->first;
  entries_.erase(found);
  if (shown) publish(uri, {});
}

void Diagnostics::publish(const std::string& uri, const Entry& entry) {
  Json diagnostics = Json::array();
  for (const Bug& bug : entry.warnings) {
    diagnostics.push_back(diagnostic_json(bug, *entry.text, documents_.encoding()));
  }
  Json params = {{"uri", uri}, {"diagnostics", std::move(diagnostics)}};
  if (const Document* document = documents_.find(uri)) params["version"] = document->version;
  dispatcher_.notify("textDocument/publishDiagnostics", params);
}

Diagnostics::Entry* Diagnostics::current(const std::string& uri, std::uint64_t check) {
  const auto found = entries_.find(uri);
  return found == entries_.end() || found->second.check != check ? nullptr : &found->second;
}

}  // namespace weft::lsp
