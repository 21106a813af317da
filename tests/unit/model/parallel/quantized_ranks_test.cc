// int8 and int4 over ranks: the same weights as in one process, and the same greedy tokens. Sums over ranks are rounded
// in another order; and where a rank's part of a row does not begin at a group, activations are rounded in other
// groups.
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "tests/unit/model/parallel/group_fixture.h"

namespace weft::test {
namespace {

using model::DType;

// The golden's architecture, so wide that what two and four ranks have of a row are whole groups of 64, as in real
// models; its weights are arbitrary.
std::string write_wide_model(const std::string& family) {
  const std::string directory = testing::TempDir() + "wide_" + family;
  std::filesystem::create_directories(directory);
  auto json = nlohmann::json::parse(std::ifstream(golden_directory(family) + "/config.json"));
  for (const auto& [field, size] : {std::pair("hidden_size", 256), std::pair("n_embd", 256), std::pair("head_dim", 64),
                                    std::pair("intermediate_size", 512), std::pair("n_inner", 512)}) {
    if (json.contains(field)) json[field] = size;
  }
  std::ofstream(directory + "/config.json") << json;
  const auto config = model::read_model_config(directory);
  WEFT_CHECK(config.has_value());
  std::set<std::string> written;
  std::vector<std::vector<float>> values;
  std::vector<model::NamedTensorView> views;
  Noise noise;
  for (const model::WeightSpec& spec : model::weight_specs(*config)) {
    if (!written.insert(spec.tensor).second) continue;  // another part of a fused one
    const std::vector<std::int64_t> shape = spec.stored_shape();
    const bool matrix = shape.size() == 2;
    std::vector<float>& numbers = values.emplace_back(noise.draw(matrix ? shape[0] * shape[1] : shape[0]));
    for (float& number : numbers) number = matrix ? 0.2F * number : 1 + 0.5F * number;
    views.push_back({spec.tensor, {model::Dtype::kF32, shape, std::as_bytes(std::span(numbers))}});
  }
  WEFT_CHECK(model::write_safetensors(directory + "/model.safetensors", views).has_value());
  return directory;
}

struct Outcome {
  double worst = 0;             // difference of a logit, relative to the step's largest
  int tokens = 0, decided = 0;  // those whose best stands out by more than twice the bound
};

// The tokens that one process chooses, step by step, are given to both.
Outcome compare(model::ModelRunner& group, model::ModelRunner& solo, double bound) {
  constexpr int kTokens = 16;
  Outcome out;
  std::vector<TokenId> next = tokens_of({5, 17, 89, 3, 64, 12, 95});
  for (int start = 0; out.tokens < kTokens; ++out.tokens) {
    const model::StepPlan plan{.sequences = {part(1, start, next)}};
    const auto actual = group.step(plan), expected = solo.step(plan);
    EXPECT_TRUE(actual && expected);
    if (!actual || !expected) return out;
    const auto ours = actual->row(0), theirs = expected->row(0);
    const auto best = std::ranges::max_element(theirs) - theirs.begin();
    double largest = 0, second = -std::numeric_limits<double>::infinity(), difference = 0;
    for (std::ptrdiff_t i = 0; i < std::ssize(theirs); ++i) {
      const double wanted = theirs[static_cast<std::size_t>(i)];
      largest = std::max(largest, std::abs(wanted));
      difference = std::max(difference, std::abs(ours[static_cast<std::size_t>(i)] - wanted));
      if (i != best) second = std::max(second, wanted);
    }
    out.worst = std::max(out.worst, difference / largest);
    if (theirs[static_cast<std::size_t>(best)] - second > 2 * bound * largest) {
      ++out.decided;
      EXPECT_EQ(std::ranges::max_element(ours) - ours.begin(), best) << "token " << out.tokens;
    }
    start += static_cast<int>(next.size());
    next = {TokenId(static_cast<std::int32_t>(best))};
  }
  return out;
}

// `bound` on the differences decides which tokens have to be the same: at least `decided` of 16.
void expect_same_tokens(const std::string& directory, int ranks, DType dtype, double bound, int decided) {
  const Group group = start_group(directory, ranks, dtype);
  const Outcome outcome = compare(*group.runner, *solo_runner(directory, dtype), bound);
  EXPECT_LE(outcome.worst, bound);
  EXPECT_GE(outcome.decided, decided);
}

class QuantizedRanks : public testing::TestWithParam<FamilyCase> {};

TEST_P(QuantizedRanks, GiveTheTokensOfOneProcess) {
  const std::string directory = write_wide_model(GetParam().family);
  // Most logits agree to 1e-6. Where a sum's last bit makes an activation round the other way, they do not: by 0.017 at
  // most here.
  for (const DType dtype : {DType::kInt8, DType::kInt4}) {
    expect_same_tokens(directory, GetParam().ranks, dtype, 0.025, 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, QuantizedRanks, testing::ValuesIn(cases_of(decoders())), family_name);

// The goldens' rows of 64 and 96 features are cut within a group. Of mixtures a router may then choose another expert,
// which has no bound.
class QuantizedRanksOfPartsOfGroups : public testing::TestWithParam<FamilyCase> {};

TEST_P(QuantizedRanksOfPartsOfGroups, GiveTheTokensThatStandOut) {
  expect_same_tokens(golden_directory(GetParam().family), GetParam().ranks, DType::kInt8, 0.05, 4);
}

std::vector<FamilyCase> dense_cases() {
  std::vector<FamilyCase> out = cases_of(decoders());
  std::erase_if(out, [](const FamilyCase& each) { return each.family == "qwen3_moe" || each.family == "mellum"; });
  return out;
}

INSTANTIATE_TEST_SUITE_P(Ranks, QuantizedRanksOfPartsOfGroups, testing::ValuesIn(dense_cases()), family_name);

}  // namespace
}  // namespace weft::test
