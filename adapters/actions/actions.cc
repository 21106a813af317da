// The service: screens the document, finds the task's adapter, and hands both to the action. Adapters are looked up on
// the caller's thread, since the registry owns the engine and the engine's sinks must not.
#include "adapters/actions/actions.h"

#include <utility>

#include "adapters/actions/action.h"
#include "adapters/actions/runs.h"
#include "generation/privacy/secrets.h"

namespace weft::adapters {
namespace {

ActionOptions completed(ActionOptions options, const model::Tokenizer& tokenizer) {
  if (!options.screen) options.screen = generation::screen;
  const auto end = tokenizer.control("<|endoftext|>");
  if (options.stop_tokens.empty() && end) options.stop_tokens.push_back(*end);
  return options;
}

Error no_adapter(std::string_view task) {
  return make_error("no {} adapter is installed: `weft adapters add DIR` installs one", task);
}

}  // namespace

class ActionService::Impl {
 public:
  Impl(std::shared_ptr<generation::Engine> engine, std::shared_ptr<AdapterRegistry> adapters, ActionOptions options)
      : engine_(std::move(engine)),
        adapters_(std::move(adapters)),
        parts_{std::make_shared<Runs>(*engine_), completed(std::move(options), engine_->tokenizer())} {}

  ~Impl() { cancel(std::nullopt); }

  [[nodiscard]] const ActionParts& parts() const { return parts_; }
  [[nodiscard]] std::optional<InstalledAdapter> adapter(std::string_view task) const {
    return adapters_->for_task(task);
  }
  void cancel(std::optional<RequestId> id) { parts_.runs->cancel(id); }

  // `start` gets the run and what ends it.
  template <class T, class Start>
  RequestId run(Done<T> done, Start start) {
    const RequestId id = parts_.runs->open();
    start(id, [runs = parts_.runs, id, done = std::move(done)](Expected<T> result) {
      runs->close(id);
      done(std::move(result));
    });
    return id;
  }

 private:
  const std::shared_ptr<generation::Engine> engine_;
  const std::shared_ptr<AdapterRegistry> adapters_;
  const ActionParts parts_;
};

ActionService::ActionService(std::shared_ptr<generation::Engine> engine, std::shared_ptr<AdapterRegistry> adapters,
                             ActionOptions options)
    : impl_(std::make_shared<Impl>(std::move(engine), std::move(adapters), std::move(options))) {}

ActionService::~ActionService() = default;

RequestId ActionService::generate_function(const generation::DocumentView& document, FunctionRequestPlace place,
                                           Done<std::vector<GeneratedFunction>> done) {
  return impl_->run(std::move(done), [&](RequestId run, Done<std::vector<GeneratedFunction>> end) {
    const auto readable = screened(impl_->parts(), document);
    if (!readable) return end(readable.error());
    start_generate_function(impl_->parts(), run, impl_->adapter("function-from-comment"), *readable, place,
                            std::move(end));
  });
}

RequestId ActionService::refactor(const generation::DocumentView& document, RefactorPlace place, Done<TextEdit> done) {
  return impl_->run(std::move(done), [&](RequestId run, Done<TextEdit> end) {
    const auto readable = screened(impl_->parts(), document);
    if (!readable) return end(readable.error());
    const auto adapter = impl_->adapter("refactor");
    if (!adapter) return end(no_adapter("refactor"));
    start_refactor(impl_->parts(), run, *adapter, *readable, place, std::move(end));
  });
}

RequestId ActionService::find_bugs(const generation::DocumentView& document, generation::ByteRange changed,
                                   Done<std::vector<Bug>> done) {
  return impl_->run(std::move(done), [&](RequestId run, Done<std::vector<Bug>> end) {
    const auto readable = screened(impl_->parts(), document);
    if (!readable) return end(readable.error());
    const auto adapter = impl_->adapter("bug-detection");
    if (!adapter) return end(std::vector<Bug>());
    start_find_bugs(impl_->parts(), run, *adapter, *readable, changed, std::move(end));
  });
}

void ActionService::cancel(RequestId id) { impl_->cancel(id); }

}  // namespace weft::adapters
