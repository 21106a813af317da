#include "model/tokenizer/added_tokens.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "model/tokenizer/json_access.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A file of `directory` as a JSON object; null where it is not there.
Expected<json> read_object(const std::string& directory, const char* name) {
  const fs::path path = fs::path(directory) / name;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return json();
  const auto text = read_text_file(path.string());
  if (!text) return text.error();
  auto parsed = parse_json(*text, path.string());
  if (parsed && !parsed->is_object()) return make_error("{} is not a JSON object", path.string());
  return parsed;
}

using ById = std::map<std::int64_t, AddedToken>;

Expected<void> read_decoder(const json& config, const std::string& origin, ById& tokens) {
  const auto decoder = config.find("added_tokens_decoder");
  if (decoder == config.end() || !decoder->is_object()) return {};
  for (const auto& [key, entry] : decoder->items()) {
    const json id = json::parse(key, nullptr, false);
    const auto token = read_added_token(entry, id, origin);
    if (!token) return token.error();
    tokens[token->id] = *token;
  }
  return {};
}

// "<s>", {"content": "<s>", …}, or a list of either.
void collect_names(const json& value, std::vector<std::string>& names) {
  if (value.is_string()) names.push_back(value.get<std::string>());
  if (value.is_array()) {
    for (const json& item : value) {
      if (!item.is_array()) collect_names(item, names);
    }
  }
  if (value.is_object()) {
    const auto content = value.find("content");
    if (content != value.end() && content->is_string()) names.push_back(content->get<std::string>());
  }
}

}  // namespace

Expected<AddedToken> read_added_token(const json& entry, const json& id, const std::string& origin) {
  if (!entry.is_object()) return make_error("{}: an added token is {}, expected an object", origin, entry.type_name());
  const auto content = entry.find("content");
  if (content == entry.end() || !content->is_string()) return make_error("{}: an added token has no content", origin);
  AddedToken token;
  token.text = content->get<std::string>();
  if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() >= kMostTokens) {
    return make_error("{}: added token '{}' has id {}, expected 0 to {}", origin, token.text,
                      id.is_number() ? id.dump() : id.type_name(), kMostTokens - 1);
  }
  token.id = id.get<std::int64_t>();
  token.special = flag_of(entry, "special");
  token.exact = !flag_of(entry, "lstrip") && !flag_of(entry, "rstrip") && !flag_of(entry, "single_word");
  return token;
}

Expected<std::vector<AddedToken>> read_added_tokens(const std::string& directory,
                                                    const std::vector<std::string>& tokens) {
  const auto config = read_object(directory, "tokenizer_config.json");
  if (!config) return config.error();
  const auto added = read_object(directory, "added_tokens.json");
  if (!added) return added.error();
  const auto special = read_object(directory, "special_tokens_map.json");
  if (!special) return special.error();

  ById by_id;
  if (const auto read = read_decoder(*config, directory + "/tokenizer_config.json", by_id); !read) return read.error();
  for (const auto& [text, id] : added->items()) {
    const auto token = read_added_token({{"content", text}}, id, directory + "/added_tokens.json");
    if (!token) return token.error();
    by_id.try_emplace(token->id, *token);
  }
  std::vector<std::string> names;
  for (const auto& [role, value] : special->items()) collect_names(value, names);
  for (const std::string& name : names) {
    const auto known = std::find_if(by_id.begin(), by_id.end(), [&](const auto& at) { return at.second.text == name; });
    const auto own = std::find(tokens.begin(), tokens.end(), name);
    if (known != by_id.end()) {
      known->second.special = true;
    } else if (own != tokens.end() && !name.empty()) {
      by_id.try_emplace(own - tokens.begin(), AddedToken{own - tokens.begin(), name, true, true});
    }
  }
  std::vector<AddedToken> out;
  for (auto& [id, token] : by_id) out.push_back(std::move(token));
  return out;
}

}  // namespace weft::model
