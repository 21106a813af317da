// How instructed models of a family are spoken to: the control tokens and words around each turn. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::model {

// Texts in which the format's control tokens stand for themselves.
struct ChatMarkup {
  std::string before, after;  // of a turn's text
};

// Where a text stands that tells the model how to behave.
enum class ChatSystem { kTurn, kInFirstUser, kInLastUser, kNone };

struct ChatFormat {
  std::string name;
  std::vector<std::string> controls;  // what of the texts below is a control token
  ChatMarkup system, user, assistant;
  std::string between;  // before every user's turn but the first
  std::string answer;   // begins the answer that is wanted
  ChatSystem system_place = ChatSystem::kTurn;
  bool trims = false;         // turns lose the blanks at their ends
  bool starts_texts = false;  // what follows a control token is encoded as the start of a text
  std::string end;            // the control token that ends an answer
};

// The format that goes with a vocabulary's control tokens. A base model has the same tokens as the one that was
// instructed: that it can be spoken to is not said by this. Nothing: none is known. `has` says whether the tokenizer
// has a control token of that text.
[[nodiscard]] std::optional<ChatFormat> find_chat_format(const std::function<bool(std::string_view)>& has);

}  // namespace weft::model
