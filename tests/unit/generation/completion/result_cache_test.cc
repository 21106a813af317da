#include "generation/completion/result_cache.h"

#include <string>

#include <gtest/gtest.h>

namespace weft::generation {
namespace {

ResultCache::Offer offer(std::string text) {
  ResultCache::Offer out;
  out.items.push_back({.text = std::move(text)});
  return out;
}

std::string found(ResultCache& cache, std::string_view before, std::string_view after = "\n",
                  std::string_view path = "a.py", AdapterId adapter = {}) {
  const auto hit = cache.find({path, before, after, Trigger::kAutomatic, adapter});
  if (!hit) return "<none>";
  if (hit->items.empty()) return "<" + hit->reason + ">";
  EXPECT_EQ(hit->items[0].replace_begin, before.size());
  EXPECT_EQ(hit->items[0].replace_end, before.size());
  return hit->items[0].text;
}

TEST(ResultCache, TakesTheNewestThatFits) {
  ResultCache cache(10);
  cache.store({"a.py", "x = ", "\n"}, offer("old()"));
  cache.store({"a.py", "x = ", "\n"}, offer("other()"));
  EXPECT_EQ(found(cache, "x = o"), "ther()");
  EXPECT_EQ(found(cache, "x = ol"), "d()");
  EXPECT_EQ(found(cache, "x = od"), "<none>");
}

TEST(ResultCache, GivesBackWhatWasOfferedBeforeACorrection) {
  ResultCache cache(10);
  cache.store({"a.py", "x = ", "\n"}, offer("format(a)"));
  EXPECT_EQ(found(cache, "x = for"), "mat(a)");
  EXPECT_EQ(found(cache, "x = foe"), "<none>");
  cache.store({"a.py", "x = foe", "\n"}, offer("s"));
  EXPECT_EQ(found(cache, "x = fo"), "rmat(a)");  // the e taken back, and one more
  EXPECT_EQ(found(cache, "x = "), "format(a)");
  EXPECT_EQ(found(cache, "x = foe"), "s");
}

TEST(ResultCache, LivesThroughEditsThatNoPromptSees) {
  ResultCache cache(10);
  const std::string far(5000, '#'), near(3000, '.');
  cache.store({"a.py", far + near + "x = ", "\n" + near + far}, offer("1"));
  EXPECT_EQ(found(cache, far + "more" + near + "x = ", "\n" + near + "more" + far), "1");
  EXPECT_EQ(found(cache, far + near + "y = ", "\n" + near + far), "<none>");
  EXPECT_EQ(found(cache, far + near + "x = ", "\ny" + near + far), "<none>");
}

TEST(ResultCache, KeepsFilesAndAdaptersApart) {
  ResultCache cache(10);
  cache.store({"a.py", "x = ", "\n", Trigger::kAutomatic, AdapterId(1)}, offer("1"));
  EXPECT_EQ(found(cache, "x = ", "\n", "a.py", AdapterId(1)), "1");
  EXPECT_EQ(found(cache, "x = "), "<none>");
  EXPECT_EQ(found(cache, "x = ", "\n", "b.py", AdapterId(1)), "<none>");
}

TEST(ResultCache, RemembersThatThereIsNothingToSay) {
  ResultCache cache(10);
  cache.store({"a.py", "x = 1", "\n"}, {{}, "empty"});
  EXPECT_EQ(found(cache, "x = 1"), "<empty>");
  EXPECT_EQ(found(cache, "x = 12"), "<none>");
  cache.store({"a.py", "x = ", "\n"}, offer("1 + 2"));
  EXPECT_EQ(found(cache, "x = 1"), " + 2") << "something is better than nothing";
}

TEST(ResultCache, IsBounded) {
  ResultCache cache(2);
  for (const char* before : {"a = ", "b = ", "c = "}) cache.store({"a.py", before, "\n"}, offer("1"));
  EXPECT_EQ(found(cache, "a = "), "<none>");
  EXPECT_EQ(found(cache, "b = "), "1");  // and is the last used now
  cache.store({"a.py", "d = ", "\n"}, offer("1"));
  EXPECT_EQ(found(cache, "b = "), "1");
  EXPECT_EQ(found(cache, "c = "), "<none>");
  ResultCache none(0);
  none.store({"a.py", "x = ", "\n"}, offer("1"));
  EXPECT_EQ(found(none, "x = "), "<none>");
}

TEST(ResultCache, TypingDoesNotCutCharacters) {
  ResultCache cache(10);
  cache.store({"a.py", "x = '", "'\n"}, offer("é→"));
  EXPECT_EQ(found(cache, "x = 'é", "'\n"), "→");
}

}  // namespace
}  // namespace weft::generation
