// A tokenizer.json of type Unigram, as T5 has it, run by SentencePiece, of which it is a copy. Pure.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/tokenizer/bpe_definition.h"

namespace weft::model {

// Error: a component that no SentencePiece model has, or what is wrong with the vocabulary.
Expected<std::shared_ptr<const Tokenizer>> make_unigram(const nlohmann::json& root,
                                                        const std::vector<AddedToken>& added,
                                                        const std::string& origin);

}  // namespace weft::model
