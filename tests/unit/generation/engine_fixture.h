// EngineContract's fixture: a model, how an engine runs it, and what greedy decoding means. Test's thread only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "generation/sampling.h"
#include "tests/support/engine_harness.h"

namespace weft::test {

using generation::EngineOptions;
using generation::FinishReason;
using generation::GenerationRequest;
using generation::GenerationResult;
using generation::RequestClass;

// Of the foreign adapter.
inline const std::string kForeignModule = "model.layers.99.self_attn.q_proj";

struct EngineModel {
  std::string name;
  std::function<std::shared_ptr<model::ModelRunner>()> make_runner;  // the same model each time, holding no sequence
  std::shared_ptr<const model::Tokenizer> tokenizer;
  // Two adapters that the model takes, each of which changes what it says, and one that it refuses.
  std::shared_ptr<const model::LoraAdapter> adapter, other_adapter, foreign_adapter;
};

struct EngineCase {
  EngineModel model;
  int threads = 0;
  std::size_t sequences_per_step = 1;
};

inline std::vector<EngineCase> engine_cases(const EngineModel& model) {
  return {{model, 0, 1}, {model, 1, 1}, {model, 0, 3}, {model, 1, 3}};
}

inline std::string engine_case_name(const testing::TestParamInfo<EngineCase>& info) {
  const EngineCase& each = info.param;
  return each.model.name + (each.threads == 0 ? "Sync" : "Threaded") + std::to_string(each.sequences_per_step);
}

inline void PrintTo(const EngineCase& each, std::ostream* out) { *out << each.model.name; }
inline void PrintTo(const EngineModel& model, std::ostream* out) { *out << model.name; }

class KeepBytes final : public generation::StopCondition {
 public:
  KeepBytes(std::size_t enough, std::size_t keep) : enough_(enough), keep_(keep) {}
  [[nodiscard]] std::optional<std::size_t> check(std::string_view text) const override {
    return text.size() >= enough_ ? std::optional(keep_) : std::nullopt;
  }

 private:
  std::size_t enough_, keep_;
};

class EngineContract : public testing::TestWithParam<EngineCase> {
 protected:
  static constexpr std::size_t kNewTokens = 12;
  static constexpr std::size_t kTokensPerStep = 16;

  [[nodiscard]] static EngineOptions options() {
    return {.threads = GetParam().threads,
            .sequences_per_step = GetParam().sequences_per_step,
            .tokens_per_step = kTokensPerStep};
  }
  [[nodiscard]] static EngineHarness make(EngineOptions options) {
    return {GetParam().model.make_runner(), GetParam().model.tokenizer, options};
  }
  [[nodiscard]] static EngineHarness make() { return make(options()); }

  [[nodiscard]] static std::vector<TokenId> encode(std::string_view text) {
    return GetParam().model.tokenizer->encode(text);
  }
  [[nodiscard]] static std::vector<TokenId> prompt() {
    return encode("def area(width, height):\n    \"\"\"Width times height.\"\"\"\n    return ");
  }
  [[nodiscard]] static GenerationRequest request(std::vector<TokenId> prompt, std::string session = {}) {
    GenerationRequest request;
    request.prompt = std::move(prompt);
    request.max_new_tokens = kNewTokens;
    request.session = std::move(session);
    return request;
  }

  // The definition of greedy decoding: each token from a run over the whole history, on a runner of its own.
  [[nodiscard]] static std::vector<TokenId> greedy(std::vector<TokenId> history, std::size_t count = kNewTokens,
                                                   std::shared_ptr<const model::LoraAdapter> adapter = nullptr) {
    const auto runner = GetParam().model.make_runner();
    const AdapterId id(adapter == nullptr ? 0 : 9);
    if (adapter != nullptr) WEFT_CHECK(runner->install_adapter(id, std::move(adapter)).has_value());
    std::vector<TokenId> out;
    for (; out.size() < count; history.push_back(out.back())) {
      const auto result = runner->step({.sequences = {{SequenceId(1), Position(0), history, true, id}}});
      WEFT_CHECK(result.has_value());
      const auto row = result->row(0);
      out.emplace_back(static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
    }
    return out;
  }
  // The log-probability of each of `tokens` after what stands before it, by the whole history on a runner of its own.
  [[nodiscard]] static std::vector<double> logprobs(std::vector<TokenId> history, const std::vector<TokenId>& tokens) {
    const auto runner = GetParam().model.make_runner();
    std::vector<double> out;
    for (const TokenId token : tokens) {
      const auto result = runner->step({.sequences = {{SequenceId(1), Position(0), history}}});
      WEFT_CHECK(result.has_value());
      const auto row = result->row(0);
      out.push_back(row[static_cast<std::size_t>(token.value())] - log_sum_exp(row));
      history.push_back(token);
    }
    return out;
  }
};

}  // namespace weft::test
