// SuffixIndex under random edits against a model that compares every place with every context.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "generation/memory/suffix_index.h"
#include "model/base/hash.h"

namespace weft::generation {
namespace {

using Tokens = std::vector<TokenId>;

struct NaiveText {
  Tokens tokens;
  std::size_t context = 0;
  std::uint64_t born = 0;
};

class NaiveIndex {
 public:
  explicit NaiveIndex(SuffixIndexLimits limits) : limits_(limits) {}

  void set_text(TextId id, Tokens tokens, std::size_t context) {
    texts_.erase(id);
    if (!tokens.empty()) texts_[id] = {std::move(tokens), context, ++born_};
  }
  void append(TextId id, const Tokens& tokens) {
    if (tokens.empty()) return;
    auto [text, added] = texts_.try_emplace(id);
    if (added) text->second.born = ++born_;
    text->second.tokens.insert(text->second.tokens.end(), tokens.begin(), tokens.end());
  }
  void remove_text(TextId id) { texts_.erase(id); }

  [[nodiscard]] SuffixMatch longest_match(const Tokens& context, std::optional<TextId> except = {}) const {
    struct Found {
      std::uint32_t count = 0;
      std::pair<std::uint64_t, std::size_t> newest;
    };
    std::size_t longest = 0;
    std::map<TokenId, Found> found;
    for (const auto& [id, text] : texts_) {
      if (id == except) continue;
      for (std::size_t i = std::max<std::size_t>(text.context, 1); i < text.tokens.size(); ++i) {
        std::size_t length = 0;
        while (length < std::min({i, context.size(), limits_.longest_match}) &&
               text.tokens[i - 1 - length] == context[context.size() - 1 - length]) {
          ++length;
        }
        if (length == 0 || length < longest) continue;
        if (length > longest) found.clear();
        longest = length;
        Found& next = found[text.tokens[i]];
        ++next.count;
        next.newest = std::max(next.newest, {text.born, i});
      }
    }
    std::vector<std::pair<TokenId, Found>> order(found.begin(), found.end());
    std::ranges::sort(order, [](const auto& a, const auto& b) {
      return std::pair(a.second.count, a.second.newest) > std::pair(b.second.count, b.second.newest);
    });
    SuffixMatch match{longest, {}};
    for (const auto& [token, next] : order) match.continuations.push_back({token, next.count});
    return match;
  }

  [[nodiscard]] std::size_t tokens() const {
    std::size_t sum = 0;
    for (const auto& [id, text] : texts_) sum += text.tokens.size() - text.context;
    return sum;
  }

 private:
  SuffixIndexLimits limits_;
  std::map<TextId, NaiveText> texts_;
  std::uint64_t born_ = 0;
};

// Few different tokens, so that contexts stand in many places.
rc::Gen<Tokens> any_tokens(std::size_t most) {
  return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, most + 1), [](std::size_t size) {
    return rc::gen::container<Tokens>(size, rc::gen::map(rc::gen::inRange(0, 3), [](int id) { return TokenId(id); }));
  });
}

void check_same(const SuffixMatch& match, const SuffixMatch& expected) {
  RC_ASSERT(match.length == expected.length);
  RC_ASSERT(match.continuations.size() == expected.continuations.size());
  for (std::size_t i = 0; i < match.continuations.size(); ++i) {
    RC_ASSERT(match.continuations[i].token == expected.continuations[i].token);
    RC_ASSERT(match.continuations[i].count == expected.continuations[i].count);
  }
}

constexpr SuffixIndexLimits kLimits{.longest_match = 8, .places = 100'000};

RC_GTEST_PROP(SuffixIndex, FindsWhatComparingEveryPlaceFinds, ()) {
  SuffixIndex index(kLimits);
  NaiveIndex naive(kLimits);
  std::shared_ptr<const SuffixPlaces> snapshot;
  NaiveIndex then = naive;
  const auto edits = *rc::gen::inRange(1, 60);
  for (int i = 0; i < edits; ++i) {
    const TextId id = *rc::gen::inRange<TextId>(0, 6);
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
      case 1: {
        const Tokens tokens = *any_tokens(300);
        const std::size_t context = *rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(tokens.size(), 12) + 1);
        index.set_text(id, tokens, context);
        // Only what can be compared of it matters.
        const std::size_t kept = std::min(context, kLimits.longest_match);
        naive.set_text(id, Tokens(tokens.begin() + static_cast<std::ptrdiff_t>(context - kept), tokens.end()), kept);
        break;
      }
      case 2:
      case 3: {
        const Tokens tokens = *any_tokens(40);
        index.append(id, tokens);
        naive.append(id, tokens);
        break;
      }
      case 4:
        index.remove_text(id);
        naive.remove_text(id);
        break;
      default:
        snapshot = index.snapshot();
        then = naive;
    }
    RC_ASSERT(index.tokens() == naive.tokens());
    for (int look = 0; look < 4; ++look) {
      const Tokens context = *any_tokens(12);
      check_same(index.longest_match(context), naive.longest_match(context));
      if (snapshot) check_same(snapshot->longest_match(context, id), then.longest_match(context, id));
    }
  }
}

RC_GTEST_PROP(SuffixIndex, FindsMatchesAcrossThePartsOfALongText, ()) {
  SuffixIndex index({.longest_match = 32, .places = 4});
  Tokens text;
  const auto size = *rc::gen::inRange<std::int32_t>(2, 3000);
  for (std::int32_t i = 0; i < size; ++i) text.emplace_back(i);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t count = std::min(*rc::gen::inRange<std::size_t>(1, 1500), text.size() - begin);
    index.append(7, std::span(text).subspan(begin, count));
    begin += count;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    const SuffixMatch match = index.longest_match(std::span(text).first(i));
    RC_ASSERT(match.length == std::min<std::size_t>(i, 32));
    RC_ASSERT(match.continuations.size() == 1u);
    RC_ASSERT(match.continuations[0].token == text[i]);
  }
}

RC_GTEST_PROP(SuffixIndex, HoldsNoMoreMemoryThanItsTextsNeedHoweverOftenTheyAreReplaced, ()) {
  SuffixIndex index({.longest_match = 32, .places = 64});
  auto seed = *rc::gen::arbitrary<std::uint64_t>();
  std::vector<std::shared_ptr<const SuffixPlaces>> held(2);
  for (int i = 0; i < 40; ++i) {
    Tokens tokens;
    for (std::uint64_t t = 0; t < 2000; ++t) tokens.emplace_back(static_cast<std::int32_t>(mix64(seed++) % 50));
    index.set_text(static_cast<TextId>(i % 3), tokens);
    held[static_cast<std::size_t>(i % 2)] = index.snapshot();
  }
  RC_ASSERT(index.tokens() == 6000u);
  RC_ASSERT(index.bytes() < 6000u * 40);
  for (TextId id = 0; id < 3; ++id) index.remove_text(id);
  RC_ASSERT(index.tokens() == 0u);
  RC_ASSERT(index.bytes() < 20'000u);
}

}  // namespace
}  // namespace weft::generation
