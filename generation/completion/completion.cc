#include "generation/completion/completion.h"

#include <utility>

#include "generation/await.h"
#include "generation/completion/pipeline.h"

namespace weft::generation {

CompletionOptions editor_options() {
  CompletionOptions options;
  options.first_answer_ms = 250;
  options.continues_accepted = true;
  options.memory = MemoryReach::kEnvironment;
  return options;
}

// The engine is the service's: what its sinks hold must not destroy it on its own thread.
class CompletionService::Impl {
 public:
  Impl(std::shared_ptr<Engine> engine, model::ModelConfig config, std::shared_ptr<const Clock> clock,
       CompletionOptions options)
      : engine_(std::move(engine)),
        pipeline_(std::make_shared<Pipeline>(*engine_, std::move(config), std::move(clock), std::move(options))) {}
  ~Impl() { pipeline_->close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] Engine& engine() const { return *engine_; }
  [[nodiscard]] Pipeline& pipeline() const { return *pipeline_; }

 private:
  const std::shared_ptr<Engine> engine_;
  const std::shared_ptr<Pipeline> pipeline_;
};

CompletionService::CompletionService(std::shared_ptr<Engine> engine, model::ModelConfig config,
                                     std::shared_ptr<const Clock> clock, CompletionOptions options)
    : impl_(std::make_shared<Impl>(std::move(engine), std::move(config), std::move(clock), std::move(options))) {}

CompletionService::~CompletionService() = default;

RequestId CompletionService::complete(CompletionRequest request, Done done) {
  return impl_->pipeline().complete(std::move(request), std::move(done));
}

void CompletionService::cancel(RequestId id) { impl_->pipeline().cancel(id); }

void CompletionService::file_changed(const std::string& path) { impl_->pipeline().projects().file_changed(path); }

std::vector<MemoryState> CompletionService::memory_state() const { return impl_->pipeline().projects().state(); }

Expected<CompletionResult> CompletionService::complete_now(CompletionRequest request) {
  return await<CompletionResult>(impl_->engine(), [&](Done done) { complete(std::move(request), std::move(done)); });
}

void CompletionService::read_project(const std::string& root) { impl_->pipeline().read_project(root); }

}  // namespace weft::generation
