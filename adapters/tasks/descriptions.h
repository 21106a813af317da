// What people say about functions: in comments above them, and in the first sentence of their docstrings. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weft::adapters {

// The text of a comment of one or more lines, without "#" and indentation.
[[nodiscard]] std::string comment_text(std::string_view comment);
// The first sentence inside a string literal, on one line, without its full stop.
[[nodiscard]] std::string first_sentence(std::string_view literal);
// Whether it says in words what something does: not a directive to a tool, a rule of dashes, or a single word.
[[nodiscard]] bool is_description(std::string_view text);
// "zh" where a good part of it is in Chinese characters, else "en".
[[nodiscard]] std::string_view language_label(std::string_view description);

}  // namespace weft::adapters
