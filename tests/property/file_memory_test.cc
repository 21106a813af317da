// A FileMemory that was kept through random edits and jumps says what a new one says of the same text.
#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "generation/memory/file_memory.h"
#include "tests/support/byte_tokenizer.h"

namespace weft::generation {
namespace {

// Line ends of both kinds, the same lines again and again, and keys, whole and in parts.
rc::Gen<std::string> any_piece() {
  return rc::gen::element<std::string>("\n", "\n\n", "\r\n", "x = 1\n", "    return x\n", "def f(a):\n", "    ", "a",
                                       "ab", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_abcdefghijklmnop",
                                       "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75PahUDCaOXDYDaXhGZ1zGr2\n");
}

std::map<TokenId, std::uint32_t> counts(const SuffixMatch& match) {
  std::map<TokenId, std::uint32_t> out;
  for (const Continuation& one : match.continuations) out[one.token] = one.count;
  return out;
}

RC_GTEST_PROP(FileMemory, SaysAfterAnyEditsWhatANewOneSays, ()) {
  const FileMemoryLimits limits{.side_bytes = *rc::gen::element<std::size_t>(120, 100'000),
                                .index = {.longest_match = 8, .places = 100'000}};
  const auto tokenizer = std::make_shared<test::ByteTokenizer>();
  FileMemory kept(tokenizer, limits);
  std::string text;
  const auto below = [](std::size_t limit) { return *rc::gen::inRange<std::size_t>(0, limit + 1); };
  const int edits = *rc::gen::inRange(1, 30);
  for (int i = 0; i < edits; ++i) {
    std::size_t cursor = below(text.size());
    if (*rc::gen::inRange(0, 4) == 0) {
      text.erase(cursor, below(40));
    } else {
      const std::string piece = *any_piece();
      text.insert(cursor, piece);
      cursor += below(piece.size());
    }
    const FilePlace place{"a.py", text, cursor, std::min<std::size_t>(below(5), cursor)};
    FileMemory fresh(tokenizer, limits);
    const auto a = kept.update(place), b = fresh.update(place);
    RC_ASSERT(kept.context() == fresh.context());
    RC_ASSERT(a->tokens() == b->tokens());
    const auto all = tokenizer->encode(text);
    for (int look = 0; look < 6; ++look) {
      const auto context = look == 0
                               ? kept.context()
                               : std::vector(all.begin(), all.end() - static_cast<std::ptrdiff_t>(below(all.size())));
      const SuffixMatch one = a->longest_match(context), other = b->longest_match(context);
      RC_ASSERT(one.length == other.length);
      RC_ASSERT(counts(one) == counts(other));
    }
  }
}

}  // namespace
}  // namespace weft::generation
