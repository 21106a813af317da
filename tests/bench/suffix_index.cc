// What a look-up and a change cost in an index of a file's and of a project's size.
//
//   bench_suffix_index TOKENIZER_DIR FILE...
//
// Each file is a text; the look-ups are the places of every tenth file, against the others alone.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

#include "generation/memory/suffix_index.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

using Texts = std::vector<std::vector<TokenId>>;

void measure(const Texts& texts, const Texts& asked) {
  SuffixIndex index;
  const Clock::time_point begin = Clock::now();
  for (std::size_t i = 0; i < texts.size(); ++i) index.set_text(i, texts[i]);
  const double built = microseconds_since(begin);
  std::vector<double> look_ups;
  std::size_t right = 0;
  for (const auto& text : asked) {
    for (std::size_t i = 32; i < text.size(); ++i) {
      const Clock::time_point now = Clock::now();
      const SuffixMatch match = index.longest_match(std::span(text).first(i));
      look_ups.push_back(microseconds_since(now));
      right += !match.continuations.empty() && match.continuations[0].token == text[i] ? 1 : 0;
    }
  }
  double sum = 0;
  for (const double time : look_ups) sum += time;
  std::ranges::sort(look_ups);
  const auto count = static_cast<double>(look_ups.size());
  const auto tokens = static_cast<double>(index.tokens());
  Clock::time_point now = Clock::now();
  auto snapshot = index.snapshot();
  const double copied = microseconds_since(now);
  now = Clock::now();
  index.set_text(0, texts[0]);
  const double replaced = microseconds_since(now) / static_cast<double>(texts[0].size());
  fmt::print(
      "{:>9} tokens: look-up mean {:.2f} us, p50 {:.2f}, p99 {:.2f}, max {:.1f}; {:.1f} % right; built in {:.2f} "
      "us a token; snapshot {:.0f} us; replaced in {:.2f} us a token; {:.1f} bytes a token\n",
      index.tokens(), sum / count, look_ups[look_ups.size() / 2], look_ups[look_ups.size() * 99 / 100], look_ups.back(),
      100 * static_cast<double>(right) / count, built / tokens, copied, replaced,
      static_cast<double>(index.bytes()) / tokens);
}

int run(int count, char** arguments) {
  if (count < 3) return 2;
  const auto tokenizer = model::load_tokenizer(arguments[1]);
  if (!tokenizer) return fmt::print(stderr, "{}\n", tokenizer.error().message), 1;
  Texts texts, asked;
  for (int i = 2; i < count; ++i) {
    std::ifstream file(arguments[i], std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    ((i - 2) % 10 == 5 ? asked : texts).push_back((*tokenizer)->encode(text));
  }
  if (asked.size() > 20) asked.resize(20);
  std::size_t tokens = 0, wanted = 20'000;
  Texts some;
  for (auto& text : texts) {
    if (text.empty()) continue;
    tokens += text.size();
    some.push_back(std::move(text));
    if (tokens < wanted) continue;
    measure(some, asked);
    wanted *= 10;
  }
  measure(some, asked);
  return 0;
}

}  // namespace
}  // namespace weft::generation

int main(int count, char** arguments) { return weft::generation::run(count, arguments); }
