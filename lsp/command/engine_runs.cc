#include "lsp/command/engine_runs.h"

#include <optional>
#include <random>
#include <utility>

#include "model/config/weight_specs.h"

namespace weft::lsp {

using generation::GenerationRequest;
using generation::GenerationResult;

std::vector<TokenId> made_up_tokens(const model::Tokenizer& tokenizer, std::size_t from, std::size_t count) {
  constexpr std::size_t kStride = 7919, kShift = 12345;
  std::vector<TokenId> out;
  for (std::size_t i = from; i < from + count; ++i) {
    out.emplace_back(static_cast<std::int32_t>((i * kStride + kShift) % tokenizer.vocabulary()));
  }
  return out;
}

model::LoraAdapter made_up_adapter(const model::ModelConfig& config, std::int64_t rank, std::uint32_t seed) {
  std::minstd_rand random(seed + 1);
  std::uniform_real_distribution<float> small(-0.01F, 0.01F);
  model::LoraAdapter adapter{fmt::format("made-up-{}", seed), {}};
  for (const model::AdaptableLinear& linear : model::adaptable_linears(config)) {
    model::LoraDelta delta{linear.module, rank, linear.in, linear.out, 1, {}, {}};
    delta.a.resize(static_cast<std::size_t>(rank * linear.in));
    delta.b.resize(static_cast<std::size_t>(linear.out * rank));
    for (float& value : delta.a) value = small(random);
    for (float& value : delta.b) value = small(random);
    adapter.deltas.push_back(std::move(delta));
  }
  return adapter;
}

EngineRuns::EngineRuns(const ModelStack& stack, generation::EngineOptions options)
    : tokenizer_(stack.tokenizer), engine_(stack.runner, stack.tokenizer, stack.clock, [&] {
        options.threads = 0;
        return std::move(options);
      }()) {}

GenerationRequest EngineRuns::request(std::size_t from, std::size_t prompt_tokens, std::size_t new_tokens) const {
  GenerationRequest out;
  out.prompt = made_up_tokens(*tokenizer_, from, prompt_tokens);
  out.forced = made_up_tokens(*tokenizer_, from + prompt_tokens, new_tokens);
  out.max_new_tokens = new_tokens;
  out.speculate = false;
  return out;
}

Expected<std::vector<GenerationResult>> EngineRuns::run(std::vector<GenerationRequest> requests) {
  std::vector<std::optional<GenerationResult>> results(requests.size());
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    wanted.push_back(requests[i].max_new_tokens);
    generation::EventSink sink;
    sink.on_done = [&results, i](GenerationResult result) { results[i] = std::move(result); };
    engine_.submit(std::move(requests[i]), std::move(sink));
  }
  while (engine_.poll()) {
  }
  std::vector<GenerationResult> out;
  for (std::size_t i = 0; i < results.size(); ++i) {
    WEFT_CHECK(results[i]);
    if (results[i]->reason == generation::FinishReason::kFailed) return make_error("{}", results[i]->error);
    if (results[i]->tokens.size() != wanted[i]) {
      return make_error("{} tokens were generated where {} were wanted", results[i]->tokens.size(), wanted[i]);
    }
    out.push_back(*std::move(results[i]));
  }
  return out;
}

Expected<AdapterId> EngineRuns::install(model::LoraAdapter adapter) {
  std::optional<Expected<AdapterId>> installed;
  engine_.install_adapter(std::make_shared<const model::LoraAdapter>(std::move(adapter)),
                          [&](Expected<AdapterId> id) { installed = std::move(id); });
  while (!installed) engine_.poll();
  return *std::move(installed);
}

}  // namespace weft::lsp
