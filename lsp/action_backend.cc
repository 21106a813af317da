#include "lsp/action_backend.h"

#include <atomic>
#include <functional>
#include <utility>

#include "lsp/worker.h"

namespace weft::lsp {
namespace {

// Hands requests to a thread of its own: reading the place, assembling prompts and parsing take time.
class ServiceBackend final : public ActionBackend {
 public:
  ServiceBackend(std::unique_ptr<adapters::ActionService> service,
                 std::shared_ptr<const adapters::AdapterRegistry> adapters)
      : adapters_(std::move(adapters)), service_(std::move(service)) {}

  std::optional<AdapterId> adapter_for(std::string_view task) const override {
    const auto installed = adapters_->for_task(task);
    if (!installed) return std::nullopt;
    return installed->id;
  }

  RequestId generate_function(generation::DocumentView document, adapters::FunctionRequestPlace place,
                              adapters::Done<std::vector<adapters::GeneratedFunction>> done) override {
    using Answer = std::vector<adapters::GeneratedFunction>;
    return submit<Answer>(
        [this, document = std::move(document), place = std::move(place)](adapters::Done<Answer> then) {
          return service_->generate_function(document, place, then);
        },
        std::move(done));
  }

  RequestId refactor(generation::DocumentView document, adapters::RefactorPlace place,
                     adapters::Done<adapters::TextEdit> done) override {
    return submit<adapters::TextEdit>(
        [this, document = std::move(document), place = std::move(place)](adapters::Done<adapters::TextEdit> then) {
          return service_->refactor(document, place, then);
        },
        std::move(done));
  }

  RequestId find_bugs(generation::DocumentView document, generation::ByteRange changed,
                      adapters::Done<std::vector<adapters::Bug>> done) override {
    using Answer = std::vector<adapters::Bug>;
    return submit<Answer>([this, document = std::move(document), changed](
                              adapters::Done<Answer> then) { return service_->find_bugs(document, changed, then); },
                          std::move(done));
  }

  void cancel(RequestId id) override { worker_.cancel(id); }

 private:
  template <class T>
  RequestId submit(std::function<RequestId(adapters::Done<T>)> ask, adapters::Done<T> done) {
    auto answered = std::make_shared<std::atomic<bool>>(false);
    const adapters::Done<T> once = [answered, done = std::move(done)](Expected<T> result) {
      if (!answered->exchange(true)) done(std::move(result));
    };
    return worker_.submit(
        {.run = [this, ask = std::move(ask), once](std::function<void()> over) -> Worker::Stop {
           const RequestId id = ask([once, over = std::move(over)](Expected<T> result) {
             over();
             once(std::move(result));
           });
           return [this, id] { service_->cancel(id); };
         },
         .drop = [once] { once(make_error("cancelled")); },
         .failed =
             [once](const Error& error) { once(make_error("preparing a code action failed: {}", error.message)); }});
  }

  const std::shared_ptr<const adapters::AdapterRegistry> adapters_;
  const std::unique_ptr<adapters::ActionService> service_;
  Worker worker_;  // last: its jobs use the service
};

}  // namespace

std::shared_ptr<ActionBackend> make_action_backend(std::unique_ptr<adapters::ActionService> service,
                                                   std::shared_ptr<const adapters::AdapterRegistry> adapters) {
  return std::make_shared<ServiceBackend>(std::move(service), std::move(adapters));
}

}  // namespace weft::lsp
