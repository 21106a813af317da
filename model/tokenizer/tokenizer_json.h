// tokenizer.json: what the `tokenizers` library writes. Pure.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "model/tokenizer/bpe_definition.h"

namespace weft::model {

// Reads models of type BPE and Unigram. `origin` names the file in errors. Error: not JSON, a component that weft does
// not know (with those that it does), or what is wrong with the vocabulary.
Expected<std::shared_ptr<const Tokenizer>> parse_tokenizer_json(std::string_view text, const std::string& origin);

// The parts of a definition that tell how text is cut: the fields "normalizer" and "pre_tokenizer". Error: without the
// name of the file.
Expected<void> read_components(const nlohmann::json& root, BpeDefinition& definition);

// GPT-2's cuts: contractions, words, numbers and other signs with the space before them, and spaces.
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
[[nodiscard]] Splitter gpt2_splitter();

}  // namespace weft::model
