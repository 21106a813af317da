// The engine's thread, and what other threads reach it by. What happens in a step is EngineCore's.
#include "generation/engine.h"

#include <thread>
#include <utility>

#include "generation/engine_core.h"
#include "generation/inbox.h"
#include "generation/request_check.h"

namespace weft::generation {

class Engine::Impl {
 public:
  Impl(std::shared_ptr<model::ModelRunner> runner, std::shared_ptr<const model::Tokenizer> tokenizer,
       std::shared_ptr<const Clock> clock, EngineOptions options);
  ~Impl();

  // Thread-safe.
  RequestId submit(GenerationRequest request, EventSink sink);
  void post(Message message) { inbox_.post(std::move(message)); }
  [[nodiscard]] EngineMetrics metrics() const { return core_.metrics(); }
  [[nodiscard]] const model::RunnerInfo& model_info() const { return runner_->info(); }
  [[nodiscard]] const model::Tokenizer& tokenizer() const { return *tokenizer_; }
  [[nodiscard]] const std::shared_ptr<const model::Tokenizer>& shared_tokenizer() const { return tokenizer_; }
  [[nodiscard]] const model::PrefixTrie& prefix_trie() const { return prefix_trie_; }

  // Sync mode.
  bool poll();

 private:
  void run();
  void drain();
  void handle(Submission submission) { core_.accept(std::move(submission)); }
  void handle(Cancellation cancellation) { core_.cancel(cancellation.id); }
  void handle(Installation installation);
  void handle(Removal removal) { core_.remove(removal.id); }
  void step_if_any();
  void shut_down();

  const std::shared_ptr<model::ModelRunner> runner_;
  const std::shared_ptr<const model::Tokenizer> tokenizer_;
  const model::PrefixTrie prefix_trie_;
  const std::shared_ptr<const Clock> clock_;
  const EngineOptions options_;
  Inbox inbox_;
  EngineCore core_;  // engine thread only
  std::thread thread_;
};

Engine::Impl::Impl(std::shared_ptr<model::ModelRunner> runner, std::shared_ptr<const model::Tokenizer> tokenizer,
                   std::shared_ptr<const Clock> clock, EngineOptions options)
    : runner_((WEFT_CHECK(runner && tokenizer && clock), std::move(runner))),
      tokenizer_(std::move(tokenizer)),
      prefix_trie_(*tokenizer_),
      clock_(std::move(clock)),
      options_(std::move(options)),
      inbox_(options_.queue_limit),
      core_({runner_, tokenizer_, prefix_trie_, clock_}, options_, [this] { inbox_.count_finished(); }) {
  if (options_.threads > 0) thread_ = std::thread([this] { run(); });
}

Engine::Impl::~Impl() {
  inbox_.close();
  if (options_.threads == 0) {
    shut_down();
    return;
  }
  WEFT_CHECK(thread_.get_id() != std::this_thread::get_id());
  thread_.join();
}

RequestId Engine::Impl::submit(GenerationRequest request, EventSink sink) {
  if (options_.on_submit) options_.on_submit(request, sink);
  std::string refusal = refusal_of(request, model_info(), tokenizer_->vocabulary());
  return inbox_.submit({RequestId(), std::move(request), std::move(sink), clock_->now(), std::move(refusal)});
}

void Engine::Impl::run() {
  while (core_.idle() ? inbox_.wait_for_message() : !inbox_.closed()) step_if_any();
  shut_down();
}

bool Engine::Impl::poll() {
  if (options_.threads > 0) return false;
  step_if_any();
  return !core_.idle() || !inbox_.empty();
}

void Engine::Impl::step_if_any() {
  drain();
  if (!core_.idle()) core_.step([this] { drain(); });
  if (core_.idle()) core_.settle();
}

void Engine::Impl::drain() {
  for (Message& message : inbox_.take()) {
    std::visit([this](auto& each) { handle(std::move(each)); }, message);
  }
}

void Engine::Impl::handle(Installation installation) {
  Expected<AdapterId> installed =
      inbox_.closed() ? make_error("the engine is closing") : core_.install(std::move(installation.adapter));
  if (installation.done) installation.done(std::move(installed));
}

// Callbacks may submit again: those requests end here too.
void Engine::Impl::shut_down() {
  do {
    drain();
    core_.cancel_all();
  } while (!inbox_.empty());
  core_.release_all();
}

Engine::Engine(std::shared_ptr<model::ModelRunner> runner, std::shared_ptr<const model::Tokenizer> tokenizer,
               std::shared_ptr<const Clock> clock, EngineOptions options)
    : impl_(std::make_unique<Impl>(std::move(runner), std::move(tokenizer), std::move(clock), std::move(options))) {}

Engine::~Engine() = default;

RequestId Engine::submit(GenerationRequest request, EventSink sink) {
  return impl_->submit(std::move(request), std::move(sink));
}

void Engine::cancel(RequestId id) { impl_->post(Cancellation{id}); }

void Engine::install_adapter(std::shared_ptr<const model::LoraAdapter> adapter,
                             std::function<void(Expected<AdapterId>)> done) {
  impl_->post(Installation{std::move(adapter), std::move(done)});
}

void Engine::remove_adapter(AdapterId id) { impl_->post(Removal{id}); }
bool Engine::poll() { return impl_->poll(); }
EngineMetrics Engine::metrics() const { return impl_->metrics(); }
const model::RunnerInfo& Engine::model_info() const { return impl_->model_info(); }
const model::Tokenizer& Engine::tokenizer() const { return impl_->tokenizer(); }
std::shared_ptr<const model::Tokenizer> Engine::shared_tokenizer() const { return impl_->shared_tokenizer(); }
const model::PrefixTrie& Engine::prefix_trie() const { return impl_->prefix_trie(); }

}  // namespace weft::generation
