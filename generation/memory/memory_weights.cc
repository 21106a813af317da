#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "generation/memory/mixture.h"

namespace weft::generation {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<const char*, kMemorySources> kSourceNames = {"file", "project", "environment"};
constexpr std::array<const char*, kSurenesses> kSurenessNames = {"once", "always", "divided"};
constexpr std::array<const char*, kAgreements> kAgreementNames = {"nobody", "other source", "model", "all"};

template <class Names>
Json names_of(const Names& names) {
  return Json(std::vector<std::string>(names.begin(), names.end()));
}

// The table's axes, so that a table of another kind is not taken for this one.
Json axes() {
  return {{"source", names_of(kSourceNames)},
          {"match_length", kMatchLengths},
          {"sureness", names_of(kSurenessNames)},
          {"agreement", names_of(kAgreementNames)}};
}

}  // namespace

std::string_view name_of(MemorySource source) { return kSourceNames[static_cast<std::size_t>(source)]; }

Expected<MemoryWeights> parse_memory_weights(std::string_view json) {
  const Json read = Json::parse(json, nullptr, false);
  if (!read.is_object()) return make_error("no JSON object");
  if (read.value("axes", Json()) != axes()) return make_error("axes: expected {}", axes().dump());
  const Json shares = read.value("shares", Json());
  if (!shares.is_array() || shares.size() != kMemoryCells)
    return make_error("shares: expected {} numbers", kMemoryCells);
  MemoryWeights weights;
  for (std::size_t i = 0; i < kMemoryCells; ++i) {
    const double share = shares[i].is_number() ? shares[i].get<double>() : std::numeric_limits<double>::quiet_NaN();
    if (!(share >= 0 && share <= 1)) return make_error("shares[{}]: expected a number from 0 to 1", i);
    weights.shares[i] = static_cast<float>(share);
  }
  return weights;
}

std::string to_json(const MemoryWeights& weights) {
  // A line for each source, length and sureness, so that a change can be read.
  std::string shares;
  for (std::size_t i = 0; i < kMemoryCells; ++i) {
    shares += fmt::format("{}{:.3f}", i == 0 ? "" : i % kAgreements == 0 ? ",\n    " : ", ", weights.shares[i]);
  }
  return fmt::format("{{\n  \"axes\": {},\n  \"shares\": [\n    {}\n  ]\n}}\n", axes().dump(), shares);
}

Expected<std::optional<MemoryWeights>> load_memory_weights(const std::string& model_directory) {
  const auto path = std::filesystem::path(model_directory) / "memory.json";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::optional<MemoryWeights>();
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto weights = parse_memory_weights(text);
  if (!weights) return make_error("{}: {}", path.string(), weights.error().message);
  return std::optional(*weights);
}

}  // namespace weft::generation
