// EnvironmentIndex over random texts, built of small parts, against a comparison with every place.
#include <algorithm>
#include <filesystem>
#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "generation/memory/environment_builder.h"
#include "generation/memory/environment_index.h"

namespace weft::generation {
namespace {

using Tokens = std::vector<TokenId>;

Tokens tokens_of(const std::vector<int>& values) {
  Tokens out;
  for (const int value : values) out.emplace_back(value);
  return out;
}

struct Naive {
  std::size_t length = 0;
  std::map<TokenId, std::uint32_t> followed;
  std::size_t places = 0;
};

Naive naive_match(const std::vector<Tokens>& texts, const Tokens& context) {
  Naive out;
  for (const Tokens& text : texts) {
    for (std::size_t i = 1; i < text.size(); ++i) {
      std::size_t length = 0;
      while (length < std::min({i, context.size(), kEnvironmentMatch}) &&
             text[i - 1 - length] == context[context.size() - 1 - length]) {
        ++length;
      }
      if (length == 0 || length < out.length) continue;
      if (length > out.length) out = {length, {}, 0};
      ++out.followed[text[i]];
      ++out.places;
    }
  }
  return out;
}

RC_GTEST_PROP(EnvironmentIndex, FindsWhatAComparisonWithEveryPlaceDoes, ()) {
  const int letters = *rc::gen::inRange(2, 40);
  const auto text = [&](int most) {
    const auto size = static_cast<std::size_t>(*rc::gen::inRange(0, most));
    return tokens_of(*rc::gen::container<std::vector<int>>(size, rc::gen::inRange(0, letters)));
  };
  std::vector<Tokens> texts;
  const int count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) texts.push_back(text(1500));
  // Long repetitions, which random texts have none of.
  if (!texts[0].empty()) texts.push_back(texts[0]);

  const std::string path = (std::filesystem::path(::testing::TempDir()) / "environment_property.index").string();
  auto builder = EnvironmentBuilder::create(path, static_cast<std::size_t>(*rc::gen::inRange(1, 4000)));
  RC_ASSERT(builder.has_value());
  for (const Tokens& one : texts) RC_ASSERT(builder->add({"p", "", ""}, "f", one).has_value());
  RC_ASSERT(builder->finish(1, {}).has_value());
  const auto index = EnvironmentIndex::open(path, 1, claim_memory);
  RC_ASSERT(index.has_value());

  for (int i = 0; i < 50; ++i) {
    Tokens context = text(8);
    const Tokens& source = texts[static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(texts.size())))];
    if (!source.empty()) {
      const auto end = *rc::gen::inRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(source.size()));
      context.insert(context.end(), source.begin() + std::max<std::ptrdiff_t>(0, end - 40), source.begin() + end);
    }
    const Naive expected = naive_match(texts, context);
    const SuffixMatch match = (*index)->longest_match(context);
    RC_ASSERT(match.length == expected.length);
    RC_ASSERT(match.continuations.empty() == expected.followed.empty());
    std::uint32_t last = ~std::uint32_t{0};
    for (const Continuation& one : match.continuations) {
      RC_ASSERT(one.count <= last);
      last = one.count;
      const auto real = expected.followed.find(one.token);
      RC_ASSERT(real != expected.followed.end());
      // Of more places than are counted a part is.
      if (expected.places <= 64) RC_ASSERT(real->second == one.count);
    }
    if (expected.places <= 64) RC_ASSERT(match.continuations.size() == expected.followed.size());
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace weft::generation
