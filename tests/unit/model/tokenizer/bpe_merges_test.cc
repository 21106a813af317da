// Merging: the queue of long texts and the scan of short ones do what the definition says.
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>

#include "model/tokenizer/bpe_merges.h"

namespace weft::model {
namespace {

using Symbols = std::vector<std::int32_t>;
using Table = std::map<std::pair<std::int32_t, std::int32_t>, std::pair<int, std::int32_t>>;

// The lowest rank anywhere, the leftmost of these, again and again.
Symbols merged_naively(Symbols symbols, const Table& table) {
  for (;;) {
    int best = std::numeric_limits<int>::max();
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto found = table.find({symbols[i], symbols[i + 1]});
      if (found != table.end() && found->second.first < best) {
        best = found->second.first;
        at = i;
      }
    }
    if (best == std::numeric_limits<int>::max()) return symbols;
    symbols[at] = table.at({symbols[at], symbols[at + 1]}).second;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at + 1));
  }
}

TEST(BpeMerges, TakeTheMostUrgentAndLeftmostPairAtEveryLength) {
  std::mt19937 random(5);
  for (int round = 0; round < 30; ++round) {
    Table table;
    BpeMerges merges(60);
    for (int rank = 0; rank < 60; ++rank) {
      const auto left = static_cast<std::int32_t>(random() % static_cast<unsigned>(4 + rank / 2));
      const auto right = static_cast<std::int32_t>(random() % static_cast<unsigned>(4 + rank / 2));
      merges.add(left, right, 4 + rank);
      table[{left, right}] = {rank, 4 + rank};
    }
    for (std::size_t length : {0U, 1U, 2U, 3U, 7U, 30U, 47U, 48U, 49U, 60U, 300U}) {
      Symbols symbols(length);
      for (auto& symbol : symbols) symbol = static_cast<std::int32_t>(random() % 4);
      Symbols actual = symbols;
      merges.apply(actual);
      EXPECT_EQ(actual, merged_naively(symbols, table)) << length;
    }
  }
}

TEST(BpeMerges, WithoutMergesChangeNothing) {
  Symbols symbols(100, 3);
  BpeMerges(0).apply(symbols);
  EXPECT_EQ(symbols, Symbols(100, 3));
}

}  // namespace
}  // namespace weft::model
