#include "adapters/train/fim.h"

#include <algorithm>

namespace weft::adapters {
namespace {

bool inside_character(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

std::size_t at_character(std::string_view text, std::size_t at) {
  while (inside_character(text, at)) ++at;
  return at;
}

std::size_t any_place(std::string_view text, Random& random) {
  return at_character(text, static_cast<std::size_t>(random.below(text.size() + 1)));
}

std::size_t line_end(std::string_view text, std::size_t from) { return std::min(text.find('\n', from), text.size()); }

// Few lines are asked for far more often than many.
std::size_t short_middle_end(std::string_view text, std::size_t begin, Random& random) {
  std::size_t end = line_end(text, begin);
  if (random.uniform() < 0.5) return end;
  for (std::uint64_t more = 1 + random.below(5); more > 0 && end < text.size(); --more) end = line_end(text, end + 1);
  return end;
}

}  // namespace

Expected<FimTokens> find_fim_tokens(const model::Tokenizer& tokenizer) {
  FimTokens out;
  for (const auto& [slot, name] : {std::pair{&out.prefix, "<fim_prefix>"}, std::pair{&out.suffix, "<fim_suffix>"},
                                   std::pair{&out.middle, "<fim_middle>"}, std::pair{&out.end, "<|endoftext|>"}}) {
    const std::optional<TokenId> id = tokenizer.control(name);
    if (!id) return make_error("the tokenizer has no control token {}", name);
    *slot = *id;
  }
  return out;
}

Cut choose_cut(std::string_view text, Random& random) {
  if (random.uniform() < 0.5) {
    const std::size_t a = any_place(text, random), b = any_place(text, random);
    return {std::min(a, b), std::max(a, b)};
  }
  const std::size_t begin = any_place(text, random);
  return {begin, short_middle_end(text, begin, random)};
}

std::vector<TokenId> fim_sequence(std::string_view text, Cut cut, FimOrder order, std::size_t room,
                                  const model::Tokenizer& tokenizer, const FimTokens& control) {
  std::vector<TokenId> prefix = tokenizer.encode(text.substr(0, cut.begin));
  const std::vector<TokenId> middle = tokenizer.encode(text.substr(cut.begin, cut.end - cut.begin));
  std::vector<TokenId> suffix = tokenizer.encode(text.substr(cut.end));
  const std::size_t whole = prefix.size() + middle.size() + suffix.size() + 4;
  std::size_t excess = whole > room ? whole - room : 0;
  const std::size_t from_suffix = std::min(excess, suffix.size());
  suffix.resize(suffix.size() - from_suffix);
  excess -= from_suffix;
  if (excess > prefix.size()) return {};
  prefix.erase(prefix.begin(), prefix.begin() + static_cast<std::ptrdiff_t>(excess));

  std::vector<TokenId> out;
  out.reserve(std::min(whole, room));
  const auto append = [&out](const std::vector<TokenId>& part) { out.insert(out.end(), part.begin(), part.end()); };
  out.push_back(control.prefix);
  if (order == FimOrder::kPrefixFirst) append(prefix);
  out.push_back(control.suffix);
  append(suffix);
  out.push_back(control.middle);
  if (order == FimOrder::kSuffixFirst) append(prefix);
  append(middle);
  out.push_back(control.end);
  return out;
}

}  // namespace weft::adapters
