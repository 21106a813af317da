// Diagnostics: warnings of possible bugs, from a save to what the editor shows. I/O thread only; the worker finds what
// has to be looked at, the model looks. Only where a bug-detection adapter is installed, and never at secret files.
//
// - A save starts a check once nothing has happened for a moment. A change, a close or a newer save ends it: what it
//   would have found is about a text that is gone. The first check of a document looks at everything, later ones at the
//   functions that changed since the last one that came to its end.
// - A warning is the editor's until its line changes: it moves with the text, and goes when its line is touched. Both
//   are published with the version that they are for.
// - Closing the document takes its warnings away.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/bug_warnings.h"
#include "lsp/dispatcher.h"
#include "lsp/document_store.h"
#include "lsp/loop.h"
#include "lsp/model_host.h"
#include "lsp/worker.h"

namespace weft::lsp {

struct DiagnosticsOptions {
  std::chrono::milliseconds debounce{300};
  std::function<void(const Error&)> on_error;  // the engine failed; may be empty
};

class Diagnostics {
 public:
  Diagnostics(Loop& loop, Dispatcher& dispatcher, Worker& worker, const ModelHost& model,
              const DocumentStore& documents, DiagnosticsOptions options)
      : loop_(loop),
        dispatcher_(dispatcher),
        worker_(worker),
        model_(model),
        documents_(documents),
        options_(std::move(options)) {}

  // Before the first document, once.
  void set_enabled(bool enabled) { enabled_ = enabled; }
  void saved(const std::string& uri);
  void changed(std::string_view uri);  // after the store has the change
  void closed(std::string_view uri);   // or opened anew
  void stop_all();                     // the checks; what is published stays

  // Of the document's text as it is now.
  [[nodiscard]] const std::vector<adapters::Bug>& warnings(std::string_view uri) const;

 private:
  using Text = std::shared_ptr<const std::string>;
  struct Entry {
    std::vector<adapters::Bug> warnings;
    Text text;                         // that the warnings are for
    Text checked;                      // by the last check that came to its end; null: none did
    std::optional<AdapterId> adapter;  // that made it
    // The check under way. 0, 0, empty: none.
    std::uint64_t check = 0;
    Loop::TimerId timer = 0;
    RequestId job;
    std::optional<RequestId> run;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  std::optional<AdapterId> adapter() const;
  void stop(Entry& entry);
  void plan(const std::string& uri, std::uint64_t check);
  void look(const std::string& uri, std::uint64_t check, Expected<std::optional<CheckPlan>> plan);
  void settle(const std::string& uri, std::uint64_t check, const CheckPlan& plan,
              Expected<std::vector<adapters::Bug>> found);
  void forget(Entries::iterator entry);
  void publish(const std::string& uri, const Entry& entry);
  // The entry while that check is the one under way, else null.
  Entry* current(const std::string& uri, std::uint64_t check);

  Loop& loop_;
  Dispatcher& dispatcher_;
  Worker& worker_;
  const ModelHost& model_;
  const DocumentStore& documents_;
  DiagnosticsOptions options_;
  bool enabled_ = true;
  Entries entries_;
  std::uint64_t next_check_ = 1;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // tasks in the loop may outlive this
};

}  // namespace weft::lsp
