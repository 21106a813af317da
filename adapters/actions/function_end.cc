#include "adapters/actions/function_end.h"

#include <algorithm>
#include <string_view>

#include "generation/syntax/scanner.h"

namespace weft::adapters {
namespace {

bool is_definition(std::string_view line) { return line.starts_with("def ") || line.starts_with("async def "); }

class FunctionEnd final : public generation::StopCondition {
 public:
  FunctionEnd(const generation::Language& language, AnswerBegin begin) : language_(language), begin_(begin) {}

  // The whole text is read again at each token: it is some hundred bytes.
  std::optional<std::size_t> check(std::string_view text) override {
    generation::CodeScanner scanner(language_);
    bool in_body = begin_ == AnswerBegin::kBody;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view line = text.substr(begin, end - begin);
      const bool statement = scanner.at_rest() && line.find_first_not_of(" \t\r") != std::string_view::npos;
      const bool outermost = statement && line[0] != ' ' && line[0] != '\t';
      // The answer's first characters go on with what the prompt's last line began.
      if (outermost && in_body && begin > 0) return text.substr(0, begin).find_last_not_of(" \t\r\n") + 1;
      scanner.feed(line);
      if (statement && begin > 0 && !outermost) in_body = true;
      if (outermost && end < text.size() && is_definition(line) && scanner.at_rest() && !scanner.opens_block()) {
        in_body = true;  // all of it on one line
      }
      scanner.feed("\n");
      begin = end + 1;
    }
    return std::nullopt;
  }

 private:
  const generation::Language& language_;
  const AnswerBegin begin_;
};

}  // namespace

std::unique_ptr<generation::StopCondition> stop_at_function_end(const generation::Language& language,
                                                                AnswerBegin begin) {
  return std::make_unique<FunctionEnd>(language, begin);
}

}  // namespace weft::adapters
