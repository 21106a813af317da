#include "generation/request_check.h"

#include <algorithm>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "generation/beam_search.h"

namespace weft::generation {
namespace {

std::string refusal_of_opening(const GenerationRequest& request, const model::RunnerInfo& model) {
  if (request.opening.empty()) return {};
  if (!request.forced.empty()) {
    return fmt::format("{} tokens are forced after an opening of {} bytes", request.forced.size(),
                       request.opening.size());
  }
  // A byte is a token at most.
  if (request.prompt.size() + request.opening.size() > model.max_positions) {
    return fmt::format("the prompt has {} tokens and the opening {} bytes: the model takes {} tokens",
                       request.prompt.size(), request.opening.size(), model.max_positions);
  }
  return {};
}

std::string foreign_token(std::string_view kind, std::span<const TokenId> tokens, std::size_t vocabulary) {
  for (const TokenId token : tokens) {
    if (token.value() < 0 || static_cast<std::size_t>(token.value()) >= vocabulary) {
      return fmt::format("{} token {} is outside of the vocabulary of {}", kind, token.value(), vocabulary);
    }
  }
  return {};
}

std::string refusal_of_shape(const GenerationRequest& request, const model::RunnerInfo& model) {
  if (request.beams == 0 || request.beams > kMostBeams) {
    return fmt::format("a beam search has 1 to {} beams, not {}", kMostBeams, request.beams);
  }
  if (request.forced.size() > request.max_new_tokens) {
    return fmt::format("{} tokens are forced where at most {} are generated", request.forced.size(),
                       request.max_new_tokens);
  }
  if (request.prompt.size() + request.forced.size() > model.max_positions) {
    return fmt::format("the prompt has {} tokens and {} are forced: the model takes {}", request.prompt.size(),
                       request.forced.size(), model.max_positions);
  }
  return refusal_of_opening(request, model);
}

}  // namespace

std::string refusal_of(const GenerationRequest& request, const model::RunnerInfo& model, std::size_t writable) {
  if (request.prompt.empty()) return "the prompt has no tokens";
  if (request.prompt.size() > model.max_positions) {
    return fmt::format("the prompt has {} tokens: the model takes {}", request.prompt.size(), model.max_positions);
  }
  std::string refusal = foreign_token("prompt", request.prompt, model.vocabulary);
  if (refusal.empty()) refusal = foreign_token("forced", request.forced, std::min(model.vocabulary, writable));
  return refusal.empty() ? refusal_of_shape(request, model) : refusal;
}

}  // namespace weft::generation
