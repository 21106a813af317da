#include "adapters/registry/registry.h"

#include <filesystem>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>

#include "tests/support/byte_tokenizer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_runner.h"

namespace weft::adapters {
namespace {

constexpr const char* kConfig = R"({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 4,
  "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 4, "intermediate_size": 8,
  "vocab_size": 263, "max_position_embeddings": 512, "rms_norm_eps": 1e-6, "tie_word_embeddings": true})";

class Registry : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    open({});
  }

  void open(test::FakeRunnerOptions options) {
    const auto config = model::parse_model_config(kConfig, "tiny");
    ASSERT_TRUE(config) << config.error().message;
    runner_ = std::make_shared<test::FakeRunner>(test::hashed_script(), std::move(options));
    engine_ = std::make_shared<generation::Engine>(runner_, std::make_shared<test::ByteTokenizer>(),
                                                   std::make_shared<test::FakeClock>(),
                                                   generation::EngineOptions{.threads = 0});
    registry_ = std::make_unique<AdapterRegistry>(engine_, *config, [this] {
      ++hashed_;
      return Expected<std::string>(std::string("the base"));
    });
  }

  std::string write(const std::string& name, const std::string& task, const std::string& base = "") const {
    AdapterFiles files;
    files.info = {.name = name, .task = task, .base_name = "", .base_sha256 = base, .rank = 1, .alpha = 1};
    files.adapter.name = name;
    files.adapter.deltas.push_back({"model.layers.0.self_attn.q_proj", 1, 4, 4, 1.0, {1, 2, 3, 4}, {1, 2, 3, 4}});
    std::filesystem::create_directories(folder_ / name);
    const auto written = write_adapter((folder_ / name).string(), files);
    EXPECT_TRUE(written) << written.error().message;
    return (folder_ / name).string();
  }

  void generate(AdapterId adapter) {
    generation::GenerationRequest request;
    request.prompt = {test::byte_token('x')};
    request.max_new_tokens = 4;
    request.adapter = adapter;
    engine_->submit(std::move(request),
                    {nullptr, [this](generation::GenerationResult result) { last_ = result.error; }});
  }
  void run() {
    while (engine_->poll()) {
    }
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const InstalledAdapter& each : registry_->list()) out.push_back(each.info.name);
    return out;
  }

  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "registry";
  std::shared_ptr<test::FakeRunner> runner_;
  std::shared_ptr<generation::Engine> engine_;
  std::unique_ptr<AdapterRegistry> registry_;
  int hashed_ = 0;
  std::string last_ = "not done";
};

using Names = std::vector<std::string>;

TEST_F(Registry, AnInstalledAdapterServesItsTask) {
  const auto added = registry_->add_now(write("bugs", "bug-detection"));
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(names(), Names{"bugs"});
  ASSERT_TRUE(registry_->for_task("bug-detection"));
  EXPECT_EQ(registry_->for_task("bug-detection")->id, added->id);
  EXPECT_FALSE(registry_->for_task("refactor"));
  generate(added->id);
  run();
  EXPECT_EQ(last_, "");
}

TEST_F(Registry, TheBaseIsHashedOnceAndOnlyWhenItIsNeeded) {
  EXPECT_EQ(hashed_, 0);
  ASSERT_TRUE(registry_->add_now(write("a", "refactor", "the base")));
  ASSERT_TRUE(registry_->add_now(write("b", "bug-detection")));
  EXPECT_EQ(hashed_, 1);
}

TEST_F(Registry, AnAdapterOfAnotherBaseIsRefused) {
  const auto added = registry_->add_now(write("a", "refactor", "another base"));
  ASSERT_FALSE(added);
  EXPECT_TRUE(names().empty());
}

TEST_F(Registry, ANewerOneTakesItsTasksPlace) {
  ASSERT_TRUE(registry_->add_now(write("old", "refactor")));
  ASSERT_TRUE(registry_->add_now(write("bugs", "bug-detection")));
  ASSERT_TRUE(registry_->add_now(write("new", "refactor")));
  EXPECT_EQ(names(), (Names{"bugs", "new"}));
  run();
  EXPECT_EQ(runner_->adapters(), (Names{"bugs", "new"}));
}

TEST_F(Registry, TheSameFolderAgainIsOneAdapter) {
  const std::string folder = write("plain", "");
  ASSERT_TRUE(registry_->add_now(folder));
  ASSERT_TRUE(registry_->add_now(folder));
  EXPECT_EQ(names(), Names{"plain"});
}

TEST_F(Registry, WhatIsReplacedServesWhoeverUsesIt) {
  const auto old = registry_->add_now(write("old", "refactor"));
  ASSERT_TRUE(old);
  generate(old->id);
  engine_->poll();  // it has begun
  ASSERT_TRUE(registry_->add_now(write("new", "refactor")));
  run();
  EXPECT_EQ(last_, "");
  EXPECT_EQ(runner_->adapters(), Names{"new"});
  EXPECT_EQ(runner_->broken_plans(), 0U);
}

TEST_F(Registry, WhatIsRemovedIsGone) {
  const auto added = registry_->add_now(write("bugs", "bug-detection"));
  ASSERT_TRUE(added);
  ASSERT_TRUE(registry_->remove("bugs"));
  EXPECT_FALSE(registry_->for_task("bug-detection"));
  generate(added->id);
  run();
  EXPECT_NE(last_.find("not installed"), std::string::npos) << last_;
  EXPECT_TRUE(runner_->adapters().empty());
}

TEST_F(Registry, RemovingWhatIsNotThereSaysWhatIs) {
  EXPECT_NE(registry_->remove("x").error().message.find("there is none"), std::string::npos);
  ASSERT_TRUE(registry_->add_now(write("bugs", "bug-detection")));
  EXPECT_NE(registry_->remove("x").error().message.find("bugs"), std::string::npos);
}

TEST_F(Registry, FoldersThatAreNoAdaptersAreNamed) {
  const auto refused = [this](const std::filesystem::path& folder) {
    const auto added = registry_->add_now(folder.string());
    return added ? std::string("added") : added.error().message;
  };
  EXPECT_NE(refused(folder_ / "absent").find("no such folder"), std::string::npos);
  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_NE(refused(folder_ / "empty").find("adapter_config.json"), std::string::npos);
  std::filesystem::create_directories(folder_ / "odd" / "adapter_config.json");
  EXPECT_NE(refused(folder_ / "odd").find("not a regular file"), std::string::npos);
  write("broken", "refactor");
  std::ofstream(folder_ / "broken" / "adapter_config.json") << "{";
  EXPECT_NE(refused(folder_ / "broken").find("adapter_config.json"), std::string::npos);
  EXPECT_TRUE(names().empty());
}

TEST_F(Registry, WhatTheModelRefusesIsNotListed) {
  test::FakeRunnerOptions options;
  options.missing_module = "model.layers.0.self_attn.q_proj";
  open(std::move(options));
  const auto added = registry_->add_now(write("bugs", "bug-detection"));
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().message.find("q_proj"), std::string::npos);
  EXPECT_TRUE(names().empty());
}

TEST_F(Registry, AnEngineThatEndsAnswers) {
  std::optional<Expected<InstalledAdapter>> answer;
  registry_->add(write("bugs", "bug-detection"), [&](Expected<InstalledAdapter> result) {
    EXPECT_FALSE(answer.has_value());
    answer = std::move(result);
  });
  EXPECT_FALSE(answer.has_value());
  registry_.reset();
  engine_.reset();
  ASSERT_TRUE(answer.has_value());
  EXPECT_FALSE(*answer);
}

TEST_F(Registry, ShippedAdaptersLieBesideTheModel) {
  std::filesystem::create_directories(folder_ / "adapters" / "refactor");
  std::filesystem::create_directories(folder_ / "adapters" / "bug-detection");
  std::ofstream(folder_ / "adapters" / "README.md") << "no adapter";
  EXPECT_EQ(shipped_adapters(folder_.string()),
            (Names{(folder_ / "adapters" / "bug-detection").string(), (folder_ / "adapters" / "refactor").string()}));
  EXPECT_TRUE(shipped_adapters((folder_ / "absent").string()).empty());
}

}  // namespace
}  // namespace weft::adapters
