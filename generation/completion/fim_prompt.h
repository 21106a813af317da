// The parts of an infilling prompt in a family's order, between its control tokens. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/base/expected.h"
#include "model/config/model_config.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

struct FimFile {
  std::string path, text;
};

struct FimParts {
  std::string repository{};                 // its name; empty: not told
  std::vector<FimFile> context{};           // other files, in the order in which the model sees them
  std::string path{};                       // of the file to fill in; told where there is context
  std::vector<TokenId> prefix{}, suffix{};  // `prefix` as the start of a text where the format says so, and no file
                                            // is told of in front of it (FileHeader::kComment, kPlus)
  std::vector<TokenId> increment{};         // the prefix's end, where the format wants it behind the middle token
};

// Without a beginning-of-sequence token. What stands between two control tokens is encoded as a whole, but for the
// prefix, whose own encoding is kept from key to key. Families that have no way to announce files get no context.
// Error: a control token that the tokenizer does not have.
Expected<std::vector<TokenId>> lay_out(const FimParts& parts, const model::FimFormat& format,
                                       const model::Tokenizer& tokenizer);

}  // namespace weft::generation
