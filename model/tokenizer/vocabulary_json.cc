#include "model/tokenizer/vocabulary_json.h"

#include <algorithm>
#include <filesystem>

#include "model/tokenizer/added_tokens.h"
#include "model/tokenizer/json_access.h"
#include "model/tokenizer/tokenizer_json.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// GPT-2's cuts and, where tokenizer_config.json asks for it, a space in front.
Expected<void> set_pre_tokenizer(const std::string& directory, BpeDefinition& definition) {
  definition.byte_level = true;
  definition.splitters = {gpt2_splitter()};
  const fs::path path = fs::path(directory) / "tokenizer_config.json";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return {};
  const auto text = read_text_file(path.string());
  if (!text) return text.error();
  const auto config = parse_json(*text, path.string());
  if (!config) return config.error();
  if (config->is_object() && flag_of(*config, "add_prefix_space")) {
    definition.normalizers.emplace_back(Prefix{" ", true});
  }
  return {};
}

}  // namespace

Expected<std::vector<std::string>> tokens_by_id(const json& vocabulary) {
  if (!vocabulary.is_object()) return make_error("vocab is {}, expected an object", vocabulary.type_name());
  std::vector<std::string> tokens;
  for (const auto& [token, id] : vocabulary.items()) {
    if (!id.is_number_integer() || id < 0 || id >= kMostTokens) {
      return make_error("token '{}' has id {}, expected 0 to {}", token, id.dump(), kMostTokens - 1);
    }
    const auto index = id.get<std::size_t>();
    if (index >= tokens.size()) tokens.resize(index + 1);
    if (!tokens[index].empty()) return make_error("id {} is both '{}' and '{}'", index, tokens[index], token);
    tokens[index] = token;
  }
  return tokens;
}

std::optional<std::pair<std::string, std::string>> split_merge(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space + 1 == line.size() || line.rfind(' ') != space) {
    return std::nullopt;
  }
  return std::pair(std::string(line.substr(0, space)), std::string(line.substr(space + 1)));
}

Expected<std::vector<std::pair<std::string, std::string>>> parse_merges(std::string_view text,
                                                                        const std::string& origin) {
  std::vector<std::pair<std::string, std::string>> merges;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    auto merge = split_merge(line);
    if (!merge) return make_error("{}: line {} is '{}', expected two tokens", origin, number, line);
    merges.push_back(*std::move(merge));
  }
  return merges;
}

Expected<std::shared_ptr<const Tokenizer>> load_vocabulary_and_merges(const std::string& directory) {
  BpeDefinition definition;
  definition.origin = (fs::path(directory) / "vocab.json").string();
  definition.unmerged_is_control = true;
  const auto vocabulary = read_text_file(definition.origin);
  if (!vocabulary) return vocabulary.error();
  const auto parsed = parse_json(*vocabulary, definition.origin);
  if (!parsed) return parsed.error();
  auto tokens = tokens_by_id(*parsed);
  if (!tokens) return make_error("{}: {}", definition.origin, tokens.error().message);
  definition.tokens = *std::move(tokens);
  const std::string merges_path = (fs::path(directory) / "merges.txt").string();
  const auto text = read_text_file(merges_path);
  if (!text) return text.error();
  auto merges = parse_merges(*text, merges_path);
  if (!merges) return merges.error();
  definition.merges = *std::move(merges);
  auto added = read_added_tokens(directory, definition.tokens);
  if (!added) return added.error();
  definition.added = *std::move(added);
  if (auto done = set_pre_tokenizer(directory, definition); !done) return done.error();
  return make_bpe(definition);
}

}  // namespace weft::model
