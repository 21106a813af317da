#include "model/tokenizer/byte_level_bpe.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "model/tokenizer/bpe_definition.h"
#include "model/tokenizer/tokenizer_json.h"
#include "model/tokenizer/vocabulary_json.h"

namespace weft::model {
namespace {

constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+)"
    R"(|\s+(?!\S)|\s+)";
constexpr std::string_view kSeedCoder =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
                                     R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
                                     R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepSeekV3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Row {
  std::string_view name;
  std::array<std::string_view, 5> patterns;  // one cut after the other, up to the first that is empty
  bool ignore_merges = false;
};

// llama.cpp's names, of which several may stand for one row; the cuts are those of the families' own tokenizer.json.
constexpr std::array kRows = {
    Row{"default", {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2Pattern, R"(\p{N}+)", R"([0-9][0-9][0-9])"}},
    Row{"gpt-2", {kGpt2Pattern}},
    Row{"olmo", {kGpt2Pattern}},
    Row{"llama-bpe", {kLlama3}, true},
    Row{"llama3", {kLlama3}, true},
    Row{"dbrx", {kLlama3}},
    Row{"smaug-bpe", {kLlama3}},
    Row{"qwen2", {kQwen2}},
    Row{"deepseek-r1-qwen", {kQwen2}},
    Row{"stablelm2", {kQwen2}},
    Row{"starcoder", {kDigit, kGpt2Pattern}},
    Row{"refact", {kDigit, kGpt2Pattern}},
    Row{"command-r", {kDigit, kGpt2Pattern}},
    Row{"smollm", {kDigit, kGpt2Pattern}},
    Row{"codeshell", {kDigit, kGpt2Pattern}},
    Row{"exaone", {kDigit, kGpt2Pattern}},
    Row{"deepseek-coder", {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", R"([一-龥ࠀ-一가-퟿]+)", kDigit}},
    Row{"deepseek-v3", {R"(\p{N}{1,3})", R"([一-龥぀-ゟ゠-ヿ]+)", kDeepSeekV3}},
    Row{"tekken", {kTekken}, true},
    Row{"gpt-4o", {kGpt4o}},
    Row{"llama4", {kGpt4o}},
    Row{"seed-coder", {kSeedCoder}},
};

Expected<void> set_pre_tokenizer(const BpeParts& parts, BpeDefinition& definition) {
  std::string known;
  for (const Row& row : kRows) {
    known.append(known.empty() ? "" : ", ").append(row.name);
    if (row.name != parts.pre_tokenizer) continue;
    definition.ignore_merges = row.ignore_merges;
    for (const std::string_view pattern : row.patterns) {
      if (pattern.empty()) break;
      auto regex = Regex::compile(pattern);
      WEFT_CHECK(regex);
      definition.splitters.push_back({*std::move(regex)});
    }
    return {};
  }
  return make_error("{}: unknown pre-tokenizer '{}'; weft knows {}", parts.origin, parts.pre_tokenizer, known);
}

}  // namespace

Expected<std::shared_ptr<const Tokenizer>> make_byte_level_bpe(BpeParts parts) {
  BpeDefinition definition;
  definition.origin = parts.origin;
  definition.byte_level = true;
  if (auto done = set_pre_tokenizer(parts, definition); !done) return done.error();
  for (const std::string& line : parts.merges) {
    auto merge = split_merge(line);
    if (!merge) {
      return make_error("{}: merge {} is '{}', expected two tokens", parts.origin, definition.merges.size(), line);
    }
    definition.merges.push_back(*std::move(merge));
  }
  for (const auto* ids : {&parts.controls, &parts.user_defined}) {
    for (const std::int32_t id : *ids) {
      if (id < 0 || std::cmp_greater_equal(id, parts.tokens.size())) {
        return make_error("{}: control token {} is not among {} tokens", parts.origin, id, parts.tokens.size());
      }
      definition.added.push_back({id, parts.tokens[static_cast<std::size_t>(id)], ids == &parts.controls});
    }
  }
  definition.tokens = std::move(parts.tokens);
  return make_bpe(definition);
}

}  // namespace weft::model
