#include "model/config/gguf_metadata.h"

#include <algorithm>
#include <array>
#include <span>

namespace weft::model {
namespace {

template <class T>
std::optional<T> uniform(const std::vector<T>* list) {
  if (list == nullptr || list->empty()) return std::nullopt;
  const bool same = std::ranges::all_of(*list, [&](const T& entry) { return entry == list->front(); });
  return same ? std::optional(list->front()) : std::nullopt;
}

struct IdField {
  std::string_view key;
  std::optional<std::int32_t>* into;
};

Expected<void> read_ids(const GgufMetadata& metadata, std::size_t tokens, std::span<const IdField> fields) {
  for (const auto& [key, into] : fields) {
    const auto id = metadata.integer(key);
    if (!id) continue;
    // Some converters write -1 or all ones for none.
    if (*id == -1 || *id == 0xFFFFFFFF) continue;
    if (*id < 0 || static_cast<std::uint64_t>(*id) >= tokens) {
      return make_error("{} is {}, there are {} tokens", key, *id, tokens);
    }
    *into = static_cast<std::int32_t>(*id);
  }
  return {};
}

Expected<std::vector<GgufTokenizer::Kind>> read_kinds(const GgufMetadata& metadata, std::size_t tokens) {
  using Kind = GgufTokenizer::Kind;
  std::vector<Kind> kinds(tokens, Kind::kNormal);
  const auto* types = metadata.find<std::vector<std::int64_t>>("tokenizer.ggml.token_type");
  if (types == nullptr) return kinds;
  if (types->size() != tokens) return make_error("{} token types for {} tokens", types->size(), tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    const std::int64_t type = (*types)[i];
    // 0 is "undefined": a token as any other.
    if (type < 0 || type > static_cast<std::int64_t>(Kind::kByte)) {
      return make_error("token {} is of type {}, known are 0 to 6", i, type);
    }
    if (type != 0) kinds[i] = static_cast<Kind>(type);
  }
  return kinds;
}

}  // namespace

std::optional<std::int64_t> GgufMetadata::integer(std::string_view key) const {
  if (const auto* value = find<std::int64_t>(key)) return *value;
  return uniform(find<std::vector<std::int64_t>>(key));
}

std::optional<double> GgufMetadata::number(std::string_view key) const {
  if (const auto* value = find<double>(key)) return *value;
  if (const auto whole = integer(key)) return static_cast<double>(*whole);
  return uniform(find<std::vector<double>>(key));
}

std::optional<bool> GgufMetadata::flag(std::string_view key) const {
  const auto* value = find<bool>(key);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::string GgufMetadata::text(std::string_view key) const {
  const auto* value = find<std::string>(key);
  return value == nullptr ? "" : *value;
}

Expected<GgufTokenizer> gguf_tokenizer(const GgufMetadata& metadata) {
  GgufTokenizer out;
  out.model = metadata.text("tokenizer.ggml.model");
  out.pre = metadata.text("tokenizer.ggml.pre");
  const auto* tokens = metadata.find<std::vector<std::string>>("tokenizer.ggml.tokens");
  if (out.model.empty() || tokens == nullptr || tokens->empty()) return Error{"the file has no tokenizer"};
  out.tokens = *tokens;
  if (const auto* merges = metadata.find<std::vector<std::string>>("tokenizer.ggml.merges")) out.merges = *merges;
  if (const auto* scores = metadata.find<std::vector<double>>("tokenizer.ggml.scores")) {
    if (scores->size() != tokens->size()) {
      return make_error("{} token scores for {} tokens", scores->size(), tokens->size());
    }
    for (const double score : *scores) out.scores.push_back(static_cast<float>(score));
  }
  auto kinds = read_kinds(metadata, tokens->size());
  if (!kinds) return kinds.error();
  out.kinds = *std::move(kinds);

  std::optional<std::int32_t> end_of_turn, end_of_message;
  const std::array ids{IdField{"tokenizer.ggml.bos_token_id", &out.bos},
                       IdField{"tokenizer.ggml.eos_token_id", &out.eos},
                       IdField{"tokenizer.ggml.unknown_token_id", &out.unknown},
                       IdField{"tokenizer.ggml.padding_token_id", &out.padding},
                       IdField{"tokenizer.ggml.eot_token_id", &end_of_turn},
                       IdField{"tokenizer.ggml.eom_token_id", &end_of_message}};
  if (auto read = read_ids(metadata, tokens->size(), ids); !read) return read.error();
  for (const auto& id : {out.eos, end_of_turn, end_of_message}) {
    if (id && std::ranges::find(out.ends, *id) == out.ends.end()) out.ends.push_back(*id);
  }
  // What llama.cpp takes for granted where the file does not say.
  const bool sentencepiece = out.model == "llama";
  out.adds_bos = metadata.flag("tokenizer.ggml.add_bos_token").value_or(sentencepiece) && out.bos.has_value();
  out.adds_space_prefix = metadata.flag("tokenizer.ggml.add_space_prefix").value_or(sentencepiece);
  return out;
}

}  // namespace weft::model
