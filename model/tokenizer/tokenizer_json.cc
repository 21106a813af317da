#include "model/tokenizer/tokenizer_json.h"

#include "model/tokenizer/added_tokens.h"
#include "model/tokenizer/json_access.h"
#include "model/tokenizer/unigram_json.h"
#include "model/tokenizer/vocabulary_json.h"

namespace weft::model {
namespace {

using nlohmann::json;

// "left right", or ["left", "right"].
Expected<std::pair<std::string, std::string>> read_merge(const json& merge, std::size_t number) {
  if (merge.is_string()) {
    if (auto parts = split_merge(merge.get_ref<const std::string&>())) return *std::move(parts);
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return std::pair(merge[0].get<std::string>(), merge[1].get<std::string>());
  }
  return make_error("merge {} is {}, expected two tokens", number, merge.dump());
}

// What `tokenizers` would do and weft does not.
Expected<void> refuse_variants(const json& model) {
  for (const char* field : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const auto found = model.find(field);
    if (found != model.end() && !found->is_null() && *found != "") {
      return make_error("{} is {}, weft reads models without", field, found->dump());
    }
  }
  return {};
}

Expected<void> read_model(const json& model, BpeDefinition& definition) {
  if (auto refused = refuse_variants(model); !refused) return refused;
  const auto vocabulary = model.find("vocab");
  if (vocabulary == model.end()) return make_error("the model has no vocab");
  auto tokens = tokens_by_id(*vocabulary);
  if (!tokens) return tokens.error();
  definition.tokens = *std::move(tokens);
  const auto merges = model.find("merges");
  if (merges == model.end() || !merges->is_array()) return make_error("the model has no list of merges");
  definition.merges.reserve(merges->size());
  for (const json& item : *merges) {
    auto merge = read_merge(item, definition.merges.size());
    if (!merge) return merge.error();
    definition.merges.push_back(*std::move(merge));
  }
  definition.byte_fallback = flag_of(model, "byte_fallback");
  definition.ignore_merges = flag_of(model, "ignore_merges");
  definition.fuse_unknown = flag_of(model, "fuse_unk");
  definition.unknown = text_of(model, "unk_token");
  return {};
}

Expected<BpeDefinition> read_bpe(const json& root, std::vector<AddedToken> added, const std::string& origin) {
  BpeDefinition definition;
  definition.origin = origin;
  definition.added = std::move(added);
  if (auto done = read_components(root, definition); !done) return done.error();
  if (auto done = read_model(root.at("model"), definition); !done) return done.error();
  return definition;
}

Expected<std::vector<AddedToken>> read_added(const json& root, const std::string& origin) {
  std::vector<AddedToken> added;
  const auto list = root.find("added_tokens");
  if (list == root.end() || list->is_null()) return added;
  if (!list->is_array()) return make_error("{}: added_tokens is {}, expected a list", origin, list->type_name());
  for (const json& entry : *list) {
    auto token = read_added_token(entry, entry.is_object() && entry.contains("id") ? entry["id"] : json(), origin);
    if (!token) return token.error();
    added.push_back(*std::move(token));
  }
  return added;
}

}  // namespace

Expected<std::shared_ptr<const Tokenizer>> parse_tokenizer_json(std::string_view text, const std::string& origin) {
  const auto root = parse_json(text, origin);
  if (!root) return root.error();
  if (!root->is_object()) return make_error("{} is not a JSON object", origin);
  const auto model = root->find("model");
  if (model == root->end() || !model->is_object()) return make_error("{} has no model", origin);
  auto added = read_added(*root, origin);
  if (!added) return added.error();
  std::string type = text_of(*model, "type");
  if (type.empty() && model->contains("merges")) type = "BPE";  // old files do not say it
  if (type == "Unigram") return make_unigram(*root, *added, origin);
  if (type != "BPE") return make_error("{}: unknown model type '{}'; weft knows BPE, Unigram", origin, type);
  const auto definition = read_bpe(*root, *std::move(added), origin);
  if (!definition) return make_error("{}: {}", origin, definition.error().message);
  return make_bpe(*definition);
}

}  // namespace weft::model
