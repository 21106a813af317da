#include "generation/completion/confidence.h"

#include <algorithm>

namespace weft::generation {
namespace {

// Bytes of the first token that are the opening's end.
std::size_t in_opening(std::string_view token, std::string_view text, std::string_view opening) {
  for (std::size_t bytes = std::min(token.size(), opening.size()); bytes > 0; --bytes) {
    const std::string_view rest = token.substr(bytes);
    const std::size_t common = std::min(rest.size(), text.size());
    if (opening.ends_with(token.substr(0, bytes)) && rest.substr(0, common) == text.substr(0, common)) return bytes;
  }
  return 0;
}

void add(LineLikelihood& lines, double logprob) {
  ++lines.tokens;
  lines.logprob += logprob;
  lines.worst_logprob = std::min(lines.worst_logprob, logprob);
}

}  // namespace

Confidence confidence_of(const GenerationResult& result, std::size_t kept_bytes, std::string_view opening,
                         const model::Tokenizer& tokenizer) {
  Confidence out;
  const std::string_view text = result.text;
  const std::size_t line_end =
      std::min(text.find('\n', std::min(text.find_first_not_of('\n'), text.size())), text.size());
  double sum = 0;
  std::size_t begin = 0;  // of the token in the text
  for (std::size_t i = 0; i < std::min(result.tokens.size(), result.logprobs.size()); ++i) {
    const double logprob = result.logprobs[i];
    const bool kept = begin < kept_bytes, ends_line = begin == line_end && kept_bytes >= line_end;
    if (!kept && !ends_line) break;
    add(begin <= line_end ? out.first_line : out.further_lines, logprob);
    if (kept) sum += logprob;
    if (kept) ++out.tokens;
    const std::string_view bytes = tokenizer.bytes(result.tokens[i]);
    begin += bytes.size() - (i == 0 ? in_opening(bytes, text, opening) : 0);
  }
  if (out.tokens == 0) return {result.mean_logprob, result.tokens.size()};
  out.mean_logprob = sum / static_cast<double>(out.tokens);
  return out;
}

}  // namespace weft::generation
