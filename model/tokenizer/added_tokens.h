// Added tokens as the JSON files beside a vocabulary list them. Pure, but for the files that it reads.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/tokenizer/bpe_definition.h"

namespace weft::model {

// One entry of tokenizer.json's added_tokens or, with its `id`, of added_tokens_decoder. Error: what is not as
// expected.
Expected<AddedToken> read_added_token(const nlohmann::json& entry, const nlohmann::json& id, const std::string& origin);

// From tokenizer_config.json, added_tokens.json and special_tokens_map.json of a directory; each may be missing. Sorted
// by id. `tokens` are the model's own, by id, among which special_tokens_map.json finds its names.
Expected<std::vector<AddedToken>> read_added_tokens(const std::string& directory,
                                                    const std::vector<std::string>& tokens);

}  // namespace weft::model
