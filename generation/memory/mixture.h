// What a memory says, mixed into the model's distribution:
//
//   p = (1 - sum of w_s) p_model + sum of w_s p_s,   p_s: the shares of the source's continuations
//
// as cache language models do (Kuhn and De Mori 1990) and retrieval ones (Khandelwal et al. 2020). A source's weight
// depends on how long its match is, how sure it is of its first continuation and who else holds that likeliest; who
// has the longer match is asked first, and the others share what it leaves. The table belongs to a model: it is fitted
// to held-out text by `weft eval memory`, and lies beside the weights as memory.json. A model without one is better off
// alone, or nobody has measured it: its memory is off. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generation/memory/token_memory.h"
#include "model/base/expected.h"
#include "model/base/strong_id.h"

namespace weft::generation {

constexpr std::size_t kMemorySources = 3;
[[nodiscard]] std::string_view name_of(MemorySource source);
// Who has a source's first continuation as the likeliest too.
enum class Agreement : std::uint8_t { kNobody, kOtherSource, kModel, kAll };
constexpr std::size_t kAgreements = 4;
// A place that says it alone, all places say it, or they are divided.
enum class Sureness : std::uint8_t { kOnce, kAlways, kDivided };
constexpr std::size_t kSurenesses = 3;
// A match belongs to the last of these that it is not shorter than.
constexpr std::array<std::size_t, 9> kMatchLengths = {1, 2, 3, 4, 5, 7, 9, 13, 21};

constexpr std::size_t kMemoryCells = kMemorySources * kMatchLengths.size() * kSurenesses * kAgreements;

// Of each cell the share that the source gets of what those with longer matches have left. All 0: the model alone.
struct MemoryWeights {
  std::array<float, kMemoryCells> shares{};
};

// What the sources say of the tokens that may come; without those that may not.
struct Opinion {
  std::size_t cell = 0;                     // of the table
  std::size_t match_length = 0;             // tokens
  std::vector<Continuation> continuations;  // not empty
  double count = 0;                         // of all of them
};
// The longest match first, ties in the order given. logits: [V]; best: the model's likeliest. Evidence of which nothing
// is left gives none.
[[nodiscard]] std::vector<Opinion> opinions_of(std::span<const Evidence> evidence, TokenId best,
                                               std::span<const float> logits);
// Of each opinion its w_s. Their sum is at most 1.
[[nodiscard]] std::vector<double> weights_of(std::span<const Opinion> opinions, const MemoryWeights& weights);

// logits: [V], afterwards natural logs of the mixture's probabilities. Without evidence that may come, or without a
// finite logit, they stay as they are. A logit that is not finite stays so: its token may not come, whoever says it.
void mix_in(std::span<float> logits, std::span<const Evidence> evidence, const MemoryWeights& weights);

// memory.json. Errors name what is wrong: no JSON, another table than this, a share outside of [0, 1].
Expected<MemoryWeights> parse_memory_weights(std::string_view json);
[[nodiscard]] std::string to_json(const MemoryWeights& weights);
// The model's; nothing where its folder has no memory.json. Error: that of parse_memory_weights, with the path.
Expected<std::optional<MemoryWeights>> load_memory_weights(const std::string& model_directory);

}  // namespace weft::generation
