#include "lsp/completion_backend.h"

#include <atomic>
#include <utility>

#include "lsp/worker.h"

namespace weft::lsp {
namespace {

// Hands requests to a thread of its own: reading the place and assembling the prompt take time.
class ServiceBackend final : public CompletionBackend {
 public:
  explicit ServiceBackend(std::unique_ptr<generation::CompletionService> service) : service_(std::move(service)) {}

  RequestId complete(generation::CompletionRequest request, Done done) override {
    auto answered = std::make_shared<std::atomic<bool>>(false);
    const Done once = [answered, done = std::move(done)](Expected<generation::CompletionResult> result) {
      if (!answered->exchange(true)) done(std::move(result));
    };
    auto held = std::make_shared<generation::CompletionRequest>(std::move(request));
    return worker_.submit(
        {.run = [this, held, once](std::function<void()> over) -> Worker::Stop {
           const RequestId id = service_->complete(
               std::move(*held), [once, over = std::move(over)](Expected<generation::CompletionResult> result) {
                 over();
                 once(std::move(result));
               });
           return [this, id] { service_->cancel(id); };
         },
         .drop =
             [once] {
               generation::CompletionResult result;
               result.cancelled = true;
               result.reason = "cancelled";
               once(std::move(result));
             },
         .failed =
             [once](const Error& error) { once(make_error("preparing a completion failed: {}", error.message)); }});
  }

  void cancel(RequestId id) override { worker_.cancel(id); }
  void file_changed(const std::string& path) override { service_->file_changed(path); }
  [[nodiscard]] std::vector<generation::MemoryState> memory_state() const override { return service_->memory_state(); }

 private:
  const std::unique_ptr<generation::CompletionService> service_;
  Worker worker_;  // last: its jobs use the service
};

}  // namespace

std::shared_ptr<CompletionBackend> make_backend(std::unique_ptr<generation::CompletionService> service) {
  return std::make_shared<ServiceBackend>(std::move(service));
}

}  // namespace weft::lsp
