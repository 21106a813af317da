// The vocabulary of GPT-2's own format: vocab.json, which tokenizer.json holds too, and merges.txt. Pure.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/tokenizer/bpe_definition.h"

namespace weft::model {

// {"token": id, …} as tokens by id; an id that none has is "". Error: an id that is no whole number below kMostTokens
// or that two tokens have.
Expected<std::vector<std::string>> tokens_by_id(const nlohmann::json& vocabulary);

// "left right" at its one space; nullopt: there is none, or more.
std::optional<std::pair<std::string, std::string>> split_merge(std::string_view line);

// merges.txt, which may begin with a line "#version: …". Error: the line that is not two tokens.
Expected<std::vector<std::pair<std::string, std::string>>> parse_merges(std::string_view text,
                                                                        const std::string& origin);

// A directory's vocab.json and merges.txt, with the added tokens beside them.
Expected<std::shared_ptr<const Tokenizer>> load_vocabulary_and_merges(const std::string& directory);

}  // namespace weft::model
