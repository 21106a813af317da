#include "adapters/eval/answers.h"

#include <numeric>
#include <optional>
#include <utility>

namespace weft::adapters {
namespace {

constexpr const char* kSession = "weft eval";  // an example's requests share their prompt

}  // namespace

Expected<generation::GenerationResult> Answers::run(generation::GenerationRequest request) {
  request.session = kSession;
  std::optional<generation::GenerationResult> result;
  engine_->submit(std::move(request),
                  {.on_text = {}, .on_done = [&](generation::GenerationResult done) { result = std::move(done); }});
  while (!result && engine_->poll()) {
  }
  if (!result) return make_error("the engine stopped without an answer");
  if (result->reason == generation::FinishReason::kFailed) return make_error("{}", result->error);
  return *std::move(result);
}

Expected<double> Answers::log_probability(const std::vector<TokenId>& prompt, const std::vector<TokenId>& answer,
                                          AdapterId adapter) {
  generation::GenerationRequest request;
  request.prompt = prompt;
  request.forced = answer;
  request.max_new_tokens = answer.size();
  request.adapter = adapter;
  const auto result = run(std::move(request));
  if (!result) return result.error();
  if (result->logprobs.size() != answer.size()) {
    return make_error("{} tokens were scored of an answer of {}", result->logprobs.size(), answer.size());
  }
  return std::accumulate(result->logprobs.begin(), result->logprobs.end(), 0.0);
}

Expected<std::string> Answers::best(const std::vector<TokenId>& prompt, std::size_t max_tokens, AdapterId adapter) {
  generation::GenerationRequest request;
  request.prompt = prompt;
  request.max_new_tokens = max_tokens;
  request.adapter = adapter;
  if (const auto end = engine_->tokenizer().control("<|endoftext|>")) request.stop_tokens.push_back(*end);
  auto result = run(std::move(request));
  if (!result) return result.error();
  return std::move(result->text);
}

}  // namespace weft::adapters
