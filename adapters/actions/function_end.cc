#include "adapters/actions/function_end.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "generation/syntax/scanner.h"

namespace weft::adapters {
namespace {

bool begins_function(std::string_view line) { return line.starts_with("def ") || line.starts_with("async def "); }

class FunctionEnd final : public generation::StopCondition {
 public:
  FunctionEnd(const generation::Language& language, AnswerShape shape)
      : language_(language), shape_(std::move(shape)) {}

  // The whole text is read again at each token: it is some hundred bytes.
  [[nodiscard]] std::optional<std::size_t> check(std::string_view generated) const override {
    const auto end = end_of_function(shape_.opening + std::string(generated));
    return end ? std::optional(*end - std::min(*end, shape_.opening.size())) : std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<std::size_t> end_of_function(std::string_view text) const {
    generation::CodeScanner scanner(language_);
    bool body_seen = false;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view line = text.substr(begin, end - begin);
      const std::size_t margin = std::min(line.find_first_not_of(" \t\r"), line.size());
      const bool statement = scanner.at_rest() && margin < line.size();
      const bool outside = statement && margin <= shape_.indentation;
      if (outside && body_seen) return text.substr(0, begin).find_last_not_of(" \t\r\n") + 1;
      if (outside && shape_.begins_in_body) return std::nullopt;  // a body that is not indented has no such end
      body_seen = body_seen || (statement && !outside);
      scanner.feed(line);
      // All of it on one line.
      if (outside && end < text.size() && begins_function(line.substr(margin)) && scanner.at_rest()) {
        body_seen = !scanner.opens_block();
      }
      scanner.feed("\n");
      begin = end + 1;
    }
    return std::nullopt;
  }

  const generation::Language& language_;
  const AnswerShape shape_;
};

}  // namespace

std::unique_ptr<generation::StopCondition> stop_at_function_end(const generation::Language& language,
                                                                AnswerShape shape) {
  return std::make_unique<FunctionEnd>(language, std::move(shape));
}

}  // namespace weft::adapters
