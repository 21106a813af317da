#include "generation/chat_prompt.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "generation/prompt_tokens.h"

namespace weft::generation {
namespace {

using model::ChatSystem;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

class ChatLayout {
 public:
  ChatLayout(const model::ChatFormat& format, const model::Tokenizer& tokenizer) : format_(format), out_(tokenizer) {
    out_.start_texts(format.starts_texts);
  }

  // Text of ours, in which control tokens stand for themselves.
  void markup(std::string_view some) {
    while (!some.empty()) {
      std::size_t first = some.size();
      std::string_view control;
      for (const std::string& each : format_.controls) {
        if (const std::size_t at = some.find(each); at < first) first = at, control = each;
      }
      out_.text(some.substr(0, first));
      out_.control(control);
      some.remove_prefix(first + control.size());
    }
  }
  void text(std::string_view some) { out_.text(format_.trims ? trimmed(some) : some); }
  void turn(const model::ChatMarkup& around, std::string_view some) {
    markup(around.before);
    text(some);
    markup(around.after);
  }

  Expected<std::vector<TokenId>> tokens() && {
    if (const auto& missing = out_.missing()) {
      return make_error("the chat format names {}, which the tokenizer does not have", *missing);
    }
    return std::move(out_).take();
  }

 private:
  const model::ChatFormat& format_;
  PromptTokens out_;
};

}  // namespace

Expected<std::vector<TokenId>> lay_out_chat(std::span<const ChatTurn> turns, const model::ChatFormat& format,
                                            const model::Tokenizer& tokenizer) {
  ChatLayout layout(format, tokenizer);
  const ChatTurn* system = !turns.empty() && turns.front().role == ChatRole::kSystem ? &turns.front() : nullptr;
  if (system != nullptr) turns = turns.subspan(1);
  if (turns.size() % 2 == 0) return make_error("a talk ends with a user's turn, this one has {} turns", turns.size());
  if (system != nullptr && format.system_place == ChatSystem::kNone) {
    return make_error("{} has no system's turn", format.name);
  }
  if (system != nullptr && format.system_place == ChatSystem::kTurn) layout.turn(format.system, system->text);
  const std::size_t with_system = format.system_place == ChatSystem::kInLastUser ? turns.size() - 1 : 0;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const bool user = i % 2 == 0;
    if (turns[i].role != (user ? ChatRole::kUser : ChatRole::kAssistant)) {
      return make_error("turn {} of a talk is not {}", i + 1, user ? "a user's" : "an assistant's");
    }
    if (!user) {
      layout.turn(format.assistant, turns[i].text);
      continue;
    }
    if (i > 0) layout.markup(format.between);
    layout.markup(format.user.before);
    if (system != nullptr && format.system_place != ChatSystem::kTurn && i == with_system) {
      layout.turn(format.system, system->text);
    }
    layout.text(turns[i].text);
    layout.markup(format.user.after);
  }
  layout.markup(format.answer);
  return std::move(layout).tokens();
}

}  // namespace weft::generation
