#include "generation/memory/lines.h"

#include <algorithm>

namespace weft::generation {

std::string with_lf(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (true) {
    const std::size_t end = text.find("\r\n");
    out += text.substr(0, end);
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> cut_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find_first_not_of('\n'), text.size());
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

std::vector<TokenId> memory_tokens(std::string_view text, const model::Tokenizer& tokenizer) {
  std::vector<TokenId> tokens;
  const std::string plain = with_lf(text);
  for (const std::string_view line : cut_lines(plain)) {
    const std::vector<TokenId> own = tokenizer.encode(line);
    tokens.insert(tokens.end(), own.begin(), own.end());
  }
  return tokens;
}

}  // namespace weft::generation
