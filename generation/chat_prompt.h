// A talk as the tokens of a family's chat format, up to where the model answers. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/base/expected.h"
#include "model/config/chat_formats.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

enum class ChatRole { kSystem, kUser, kAssistant };

struct ChatTurn {
  ChatRole role = ChatRole::kUser;
  std::string text;  // stays text, whatever it looks like
};

// Without a beginning-of-sequence token. What stands between two control tokens is encoded as a whole. Errors: turns
// that are not a system's, if any, and then a user's and an assistant's in turn, a user's last; a system's turn in a
// family that has none; a control token that the tokenizer does not have.
Expected<std::vector<TokenId>> lay_out_chat(std::span<const ChatTurn> turns, const model::ChatFormat& format,
                                            const model::Tokenizer& tokenizer);

}  // namespace weft::generation
