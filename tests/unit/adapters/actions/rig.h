// An ActionService over a fake model, for the tests of this folder. The engine is in sync mode. Adapters are real
// files, made for the test, of a base that is as small as the format allows; the fake model has a script for each, by
// its name.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "adapters/actions/actions.h"
#include "adapters/lora/peft.h"
#include "adapters/registry/registry.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_runner.h"

namespace weft::test {

inline model::ModelConfig tiny_config() {
  auto config = model::parse_model_config(R"({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3",
    "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 4,
    "intermediate_size": 8, "vocab_size": 263, "max_position_embeddings": 4096, "rms_norm_eps": 1e-6,
    "tie_word_embeddings": true})",
                                          "tiny");
  WEFT_CHECK(config.has_value());
  return std::move(*config);
}

// Logits that are all zero but for one.
inline std::vector<float> leaning_to(TokenId token, float logit) {
  std::vector<float> logits(ByteTokenizer::kVocabulary, 0.0F);
  logits[static_cast<std::size_t>(token.value())] = logit;
  return logits;
}

// `reply` after a prompt that ends with `end`, then <|endoftext|>. Of several, the first whose end stands in the
// history last is the one that speaks.
inline Script answering(std::string end, std::string reply) {
  return [end = std::move(end), reply = std::move(reply)](std::span<const TokenId> history) {
    const std::string text = ByteTokenizer().decode(history);
    const std::size_t found = text.rfind(end);
    const std::size_t said = found == std::string::npos ? reply.size() : text.size() - found - end.size();
    return leaning_to(said < reply.size() ? byte_token(reply[said]) : ByteTokenizer::kEndOfText, 10.0F);
  };
}

struct Rig {
  explicit Rig(Script base, std::map<std::string, Script> adapter_scripts = {}, adapters::ActionOptions options = {})
      : runner(std::make_shared<FakeRunner>(std::move(base), with(std::move(adapter_scripts)))),
        engine(std::make_shared<generation::Engine>(runner, std::make_shared<ByteTokenizer>(),
                                                    std::make_shared<FakeClock>(),
                                                    generation::EngineOptions{.threads = 0})),
        registry(std::make_shared<adapters::AdapterRegistry>(engine, tiny_config(),
                                                             [] { return Expected<std::string>(std::string("abc")); })),
        service(std::make_unique<adapters::ActionService>(engine, registry, std::move(options))) {}

  // Writes and installs an adapter; its name is its folder's.
  void install(const std::string& name, const std::string& task, double threshold = 0) const {
    const auto folder = std::filesystem::path(testing::TempDir()) / "actions" / name;
    adapters::AdapterFiles files;
    files.info.task = task;
    files.info.threshold = threshold;
    files.info.rank = 1;
    files.info.alpha = 1;
    files.adapter.name = name;
    files.adapter.deltas.push_back(
        {"model.layers.0.self_attn.q_proj", 1, 4, 4, 1.0, std::vector<float>(4, 0.5F), std::vector<float>(4, 0.5F)});
    std::filesystem::create_directories(folder);
    const auto written = adapters::write_adapter(folder.string(), files);
    ASSERT_TRUE(written) << written.error().message;
    const auto installed = registry->add_now(folder.string());
    ASSERT_TRUE(installed) << installed.error().message;
    EXPECT_EQ(installed->info.name, name);
  }

  static generation::DocumentView document(std::string text, std::string path = "work.py") {
    return {std::move(path), "", std::make_shared<const std::string>(std::move(text)), 1};
  }

  void run() const {
    while (engine->poll()) {
    }
  }

  std::shared_ptr<FakeRunner> runner;
  std::shared_ptr<generation::Engine> engine;
  std::shared_ptr<adapters::AdapterRegistry> registry;
  std::unique_ptr<adapters::ActionService> service;

 private:
  static FakeRunnerOptions with(std::map<std::string, Script> adapter_scripts) {
    FakeRunnerOptions options;
    options.adapter_scripts = std::move(adapter_scripts);
    return options;
  }
};

// Takes an answer, and fails the test when a second one comes.
template <class T>
struct Answer {
  adapters::Done<T> done() {
    return [this](Expected<T> given) {
      EXPECT_FALSE(result.has_value()) << "answered twice";
      result = std::move(given);
    };
  }
  [[nodiscard]] std::string error() const {
    if (!result) return "no answer";
    return *result ? "no error" : result->error().message;
  }
  std::optional<Expected<T>> result;
};

}  // namespace weft::test
