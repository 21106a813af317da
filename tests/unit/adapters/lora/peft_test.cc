// What an adapter's folder may say: chosen modules, ranks and scalings, and everything that is refused with its name.
#include "adapters/lora/peft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>

#include <nlohmann/json.hpp>

#include "adapters/lora/lora_config.h"
#include "model/weights/safetensors.h"

namespace weft::adapters {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

model::ModelConfig tiny_base() {
  model::ModelConfig config;
  config.architecture = model::find_architecture("LlamaForCausalLM");
  config.name = "tiny";
  config.layers = 2;
  config.hidden = 8;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_dim = 4;
  config.intermediate = 12;
  return config;
}

json plain_config() { return {{"peft_type", "LORA"}, {"r", 2}, {"lora_alpha", 4}, {"target_modules", {"q_proj"}}}; }

// The chosen modules, "0.q_proj 0.up_proj", or the error.
std::string modules_of(const json& config) {
  const auto read = parse_lora_config(config.dump(), tiny_base());
  if (!read) return read.error().message;
  std::string out;
  for (const ModuleRank& module : read->modules) {
    std::string name = module.linear.module.substr(std::string("model.layers.").size());
    name.erase(1, name.rfind('.') - 1);
    out += (out.empty() ? "" : " ") + name;
  }
  return out;
}

TEST(LoraConfig, ModulesAreChosenByNameSuffixExpressionOrAll) {
  json config = plain_config();
  EXPECT_EQ(modules_of(config), "0.q_proj 1.q_proj");
  config["target_modules"] = {"model.layers.1.mlp.up_proj", "self_attn.k_proj"};
  EXPECT_EQ(modules_of(config), "0.k_proj 1.k_proj 1.up_proj");
  config["target_modules"] = {"proj"};  // a suffix begins at a dot
  EXPECT_THAT(modules_of(config), HasSubstr("selects none"));
  config["target_modules"] = R"(model\.layers\.0\..*(q|down)_proj)";
  EXPECT_EQ(modules_of(config), "0.q_proj 0.down_proj");
  config["target_modules"] = "q_proj";  // an expression is of the whole name
  EXPECT_THAT(modules_of(config), HasSubstr("selects none"));
  config["target_modules"] = "All-Linear";
  config["exclude_modules"] = {"mlp.up_proj", "gate_proj"};
  config["layers_to_transform"] = {1};
  EXPECT_EQ(modules_of(config), "1.q_proj 1.k_proj 1.v_proj 1.o_proj 1.down_proj");
}

TEST(LoraConfig, PatternsGiveRankAndAlphaAndTheFirstMatchWins) {
  const std::string text = R"({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "use_rslora": true,
    "target_modules": "all-linear", "rank_pattern": {"layers.0.mlp.up_proj": 9, "mlp\\..*": 16, "_proj": 1},
    "alpha_pattern": {"q_proj|k_proj": 2}})";
  const auto read = parse_lora_config(text, tiny_base());
  ASSERT_TRUE(read) << read.error().message;
  for (const ModuleRank& module : read->modules) {
    const std::string& name = module.linear.module;
    const bool first_up = name == "model.layers.0.mlp.up_proj";
    const std::int64_t rank = first_up ? 9 : name.find(".mlp.") != std::string::npos ? 16 : 4;
    const double alpha = name.ends_with("q_proj") || name.ends_with("k_proj") ? 2 : 8;
    EXPECT_EQ(module.rank, rank) << name;
    EXPECT_DOUBLE_EQ(module.scaling, alpha / std::sqrt(static_cast<double>(rank))) << name;
  }
}

TEST(LoraConfig, WhatCannotBeHonouredIsRefusedByName) {
  const std::vector<std::pair<std::string, json>> refused = {
      {"use_dora", true},
      {"modules_to_save", {"lm_head"}},
      {"lora_bias", true},
      {"bias", "lora_only"},
      {"trainable_token_indices", {1, 2}},
      {"init_lora_weights", "pissa"},
      {"init_lora_weights", "olora"},
      {"init_lora_weights", "corda"},
      {"init_lora_weights", "a start of tomorrow"},
      {"layer_replication", json::array({{0, 1}})},
      {"target_parameters", {"mlp.experts"}},
      {"alora_invocation_tokens", {5}},
      {"peft_type", "IA3"},
      {"an_option_of_tomorrow", 1},
      {"layers_pattern", "h"},
      {"rank_pattern", {{"q_proj", 0}}},
      {"rank_pattern", {{"q_proj", 2.5}}},
      {"target_modules", "(q_proj"},
      {"target_modules", 3},
      {"r", 0},
      {"lora_alpha", "big"},
      {"weft", "none"},
  };
  for (const auto& [field, value] : refused) {
    json config = plain_config();
    config[field] = value;
    EXPECT_THAT(modules_of(config), HasSubstr(field)) << value;
  }
  for (const std::string module : {"lm_head", "embed_tokens"}) {
    json config = plain_config();
    config["target_modules"] = {"q_proj", module};
    EXPECT_THAT(modules_of(config), HasSubstr(module));
  }
  EXPECT_FALSE(parse_lora_config("[]", tiny_base()));
  EXPECT_FALSE(parse_lora_config("{", tiny_base()));
}

TEST(LoraConfig, AnExpressionThatWouldTakeForEverIsAnError) {
  json config = plain_config();
  config["target_modules"] = "((.|\\w)*)*[!?]";
  EXPECT_THAT(modules_of(config), HasSubstr("limit"));
}

// GPT-BigCode: one key and value head beside all queries, in one linear.
model::ModelConfig fused_base() {
  model::ModelConfig config = tiny_base();
  config.architecture = model::find_architecture("GPTBigCodeForCausalLM");
  config.gated_mlp = false;
  return config;
}

TEST(LoraConfig, AFusedLinearIsOne) {
  json config = plain_config();
  config["target_modules"] = {"c_attn", "attn.c_proj"};
  config["layers_pattern"] = "h";
  config["layers_to_transform"] = {1};
  config["fan_in_fan_out"] = true;
  const auto read = parse_lora_config(config.dump(), fused_base());
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->modules.size(), 2U);
  EXPECT_EQ(read->modules[0].linear.module, "transformer.h.1.attn.c_attn");
  EXPECT_EQ(read->modules[0].linear.in, 8);
  EXPECT_EQ(read->modules[0].linear.out, 16);
  EXPECT_EQ(read->modules[1].linear.module, "transformer.h.1.attn.c_proj");
  config["layers_pattern"] = "layers";
  EXPECT_THAT(parse_lora_config(config.dump(), fused_base()).error().message, HasSubstr("the base has h"));
  for (const std::string module : {"wte", "wpe", "lm_head"}) {
    json other = plain_config();
    other["target_modules"] = {"c_attn", module};
    EXPECT_THAT(parse_lora_config(other.dump(), fused_base()).error().message, HasSubstr(module));
  }
}

class AdapterFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("weft_lora_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::ofstream(folder_ / "adapter_config.json") << plain_config();
  }
  void TearDown() override { fs::remove_all(folder_); }

  struct Tensor {
    std::string name;
    std::vector<std::int64_t> shape;
    float value = 0.5F;
  };
  static std::vector<Tensor> whole() {
    std::vector<Tensor> out;
    for (const std::string layer : {"0", "1"}) {
      const std::string module = "base_model.model.model.layers." + layer + ".self_attn.q_proj.";
      out.push_back({module + "lora_A.weight", {2, 8}});
      out.push_back({module + "lora_B.weight", {8, 2}});
    }
    return out;
  }
  void put(const std::vector<Tensor>& tensors) const {
    std::vector<std::vector<float>> values;
    for (const Tensor& tensor : tensors) {
      values.emplace_back(static_cast<std::size_t>(tensor.shape[0] * tensor.shape[1]), tensor.value);
    }
    std::vector<model::NamedTensorView> views;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      views.push_back({tensors[i].name, {model::Dtype::kF32, tensors[i].shape, std::as_bytes(std::span(values[i]))}});
    }
    ASSERT_TRUE(model::write_safetensors((folder_ / "adapter_model.safetensors").string(), views));
  }
  [[nodiscard]] std::string error(const std::string& base_sha256 = "") const {
    const auto read = read_adapter(folder_.string(), tiny_base(), base_sha256);
    return read ? "" : read.error().message;
  }
  fs::path folder_;
};

TEST_F(AdapterFolder, IsRead) {
  put(whole());
  const auto read = read_adapter(folder_.string() + "/", tiny_base(), "");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->info.name, folder_.filename().string());
  EXPECT_EQ(read->adapter.name, read->info.name);
  EXPECT_EQ(read->info.rank, 2);
  ASSERT_EQ(read->adapter.deltas.size(), 2U);
  EXPECT_EQ(read->adapter.deltas[1].module, "model.layers.1.self_attn.q_proj");
  EXPECT_EQ(read->adapter.deltas[1].scaling, 2);
  EXPECT_EQ(read->adapter.deltas[1].b, std::vector<float>(16, 0.5F));
}

TEST_F(AdapterFolder, HalfPrecisionIsRead) {
  put(whole());
  std::vector<std::uint16_t> half = {0x3C00, 0xC000, 0x0001, 0x7BFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const auto file = model::SafetensorsFile::open((folder_ / "adapter_model.safetensors").string());
  ASSERT_TRUE(file);
  std::vector<model::NamedTensorView> views;
  for (const std::string& name : (*file)->names()) {
    const bool brain = name.ends_with("lora_B.weight");
    views.push_back({name,
                     {brain ? model::Dtype::kBf16 : model::Dtype::kF16, (*file)->find(name)->shape,
                      std::as_bytes(std::span(half))}});
  }
  ASSERT_TRUE(model::write_safetensors((folder_ / "adapter_model.safetensors").string(), views));
  const auto read = read_adapter(folder_.string(), tiny_base(), "");
  ASSERT_TRUE(read) << read.error().message;
  const model::LoraDelta& delta = read->adapter.deltas[0];
  EXPECT_EQ(delta.a[0], 1.0F);
  EXPECT_EQ(delta.a[1], -2.0F);
  EXPECT_EQ(delta.a[2], std::ldexp(1.0F, -24));
  EXPECT_EQ(delta.a[3], 65504.0F);
  EXPECT_EQ(delta.b[0], 0.0078125F);  // the same bits as bf16
}

TEST_F(AdapterFolder, AForeignOrDamagedFileIsNamed) {
  EXPECT_THAT(error(), HasSubstr("adapter_model.safetensors"));
  auto tensors = whole();
  tensors[2].shape = {2, 6};
  put(tensors);
  EXPECT_THAT(error(), HasSubstr("layers.1.self_attn.q_proj.lora_A.weight: expected [2, 8], file has [2, 6]"));
  tensors = whole();
  tensors.pop_back();
  put(tensors);
  EXPECT_THAT(error(), HasSubstr("layers.1.self_attn.q_proj.lora_B.weight"));
  tensors = whole();
  tensors.push_back({"base_model.model.lm_head.weight", {4, 8}});
  put(tensors);
  EXPECT_THAT(error(), HasSubstr("base_model.model.lm_head.weight"));
  tensors = whole();
  tensors[0].value = std::numeric_limits<float>::quiet_NaN();
  put(tensors);
  EXPECT_THAT(error(), HasSubstr("not finite"));
  fs::resize_file(folder_ / "adapter_model.safetensors", 100);
  EXPECT_THAT(error(), HasSubstr("adapter_model.safetensors"));
  fs::remove(folder_ / "adapter_config.json");
  EXPECT_THAT(error(), HasSubstr("adapter_config.json"));
}

TEST_F(AdapterFolder, OfAFusedLinearHasAllItsRows) {
  json config = plain_config();
  config["target_modules"] = {"c_attn"};
  std::ofstream(folder_ / "adapter_config.json") << config;
  std::vector<Tensor> tensors;
  for (const std::string layer : {"0", "1"}) {
    const std::string module = "base_model.model.transformer.h." + layer + ".attn.c_attn.";
    tensors.push_back({module + "lora_A.weight", {2, 8}});
    tensors.push_back({module + "lora_B.weight", {16, 2}});
  }
  put(tensors);
  const auto read = read_adapter(folder_.string(), fused_base(), "");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->adapter.deltas.at(1).out, 16);
  tensors[3].shape = {24, 2};  // as if every head had its own key and value
  put(tensors);
  EXPECT_THAT(read_adapter(folder_.string(), fused_base(), "").error().message,
              HasSubstr("h.1.attn.c_attn.lora_B.weight: expected [16, 2], file has [24, 2]"));
}

TEST_F(AdapterFolder, AnotherBaseIsRefusedWhereBothAreKnown) {
  put(whole());
  EXPECT_EQ(error("1234"), "");
  json config = plain_config();
  config["weft"] = {{"base_sha256", "abcd"}, {"base_name", "older"}};
  std::ofstream(folder_ / "adapter_config.json") << config;
  EXPECT_EQ(error(), "");
  EXPECT_EQ(error("abcd"), "");
  EXPECT_THAT(error("1234"), HasSubstr("trained on older"));
  auto tensors = whole();
  tensors[0].shape = {2, 6};
  put(tensors);
  EXPECT_THAT(error("1234"), HasSubstr("trained on older"));  // which says more than a shape
}

TEST_F(AdapterFolder, TheHashOfABaseFollowsNamesShapesAndBytes) {
  const auto hash = [&](const std::vector<Tensor>& tensors) {
    put(tensors);
    fs::rename(folder_ / "adapter_model.safetensors", folder_ / "model.safetensors");
    const auto hashed = base_hash(folder_.string());
    return hashed ? *hashed : hashed.error().message;
  };
  const std::string first = hash({{"a", {2, 3}}, {"b", {1, 2}}});
  EXPECT_EQ(first.size(), 64U);
  EXPECT_EQ(hash({{"b", {1, 2}}, {"a", {2, 3}}}), first);
  EXPECT_NE(hash({{"a", {3, 2}}, {"b", {1, 2}}}), first);
  EXPECT_NE(hash({{"a", {2, 3}}, {"c", {1, 2}}}), first);
  EXPECT_NE(hash({{"a", {2, 3}, 0.25F}, {"b", {1, 2}}}), first);
  fs::remove(folder_ / "model.safetensors");
  EXPECT_FALSE(base_hash(folder_.string()));
}

}  // namespace
}  // namespace weft::adapters
