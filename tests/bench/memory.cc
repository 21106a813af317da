// What memory costs on this machine: a look-up and a change in an index of a file's and of a project's size, and a key
// in an open file; and a look-up in an environment's index, and building it.
//
//   bench_memory TOKENIZER_DIR FILE...
//   bench_memory TOKENIZER_DIR --environment SITE_FOLDER FILE...
//
// Each file is a text; the look-ups are the places of every tenth file, against the others alone, or against the
// environment. The keys are typed in the longest file.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <thread>

#include "generation/files/python_environment.h"
#include "generation/memory/environment_memory.h"
#include "generation/memory/file_memory.h"
#include "generation/memory/suffix_index.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;
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

void print_times(std::string_view what, std::vector<double> times) {
  std::ranges::sort(times);
  fmt::print("{}: p50 {:.0f} us, p99 {:.0f}, max {:.0f}\n", what, times[times.size() / 2],
             times[times.size() * 99 / 100], times.back());
}

// A new line in the middle, typed character by character; then jumps to all lines.
void measure_keys(std::string text, const std::shared_ptr<const model::Tokenizer>& tokenizer) {
  constexpr std::string_view kTyped = "\n    self.value = some_function(self.value, other=None)  # why it is so\n";
  FileMemory memory(tokenizer);
  std::size_t cursor = text.find('\n', text.size() / 2);
  const auto timed = [&] {
    const Clock::time_point begin = Clock::now();
    const auto snapshot = memory.update({"a.py", text, cursor, 0});
    return microseconds_since(begin);
  };
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  fmt::print("{} lines, {} bytes: first update {:.0f} us\n", lines, text.size(), timed());
  std::vector<double> keys, jumps;
  for (int round = 0; round < 5; ++round) {
    for (const char key : kTyped) {
      text.insert(cursor++, 1, key);
      keys.push_back(timed());
    }
  }
  for (std::size_t i = 0; i < 100; ++i) {
    cursor = text.find('\n', i * 7919 % text.size());
    if (cursor == std::string::npos) cursor = text.size();
    jumps.push_back(timed());
  }
  print_times("a key", std::move(keys));
  print_times("a jump", std::move(jumps));
  fmt::print("{:.1f} bytes a byte of text\n", static_cast<double>(memory.bytes()) / static_cast<double>(text.size()));
}

// Memory of this process that is no file's.
double anonymous_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::atof(line.c_str() + 8) / 1024;
  }
  return 0;
}

int measure_environment(const std::string& site_folder, const Texts& asked, const model::Tokenizer& tokenizer) {
  const std::string folder = fmt::format("{}/bench_memory.{}", fs::temp_directory_path().string(), ::getpid());
  const double before = anonymous_mb();
  std::atomic<bool> over = false;
  double most = 0;
  std::thread sampler([&] {
    while (!over) {
      most = std::max(most, anonymous_mb());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  const EnvironmentLimits limits;
  Clock::time_point begin = Clock::now();
  const PythonEnvironment environment{{}, {site_folder}};
  const auto plan =
      plan_environment(environment, list_python_packages(environment, {}, {}, limits.packages, {}), limits, tokenizer);
  const double listed = microseconds_since(begin);
  const EnvironmentStore store(folder);
  begin = Clock::now();
  auto index = build_environment(plan, limits, tokenizer, store, {});
  const double built = microseconds_since(begin);
  over = true;
  sampler.join();
  if (!index) return fmt::print(stderr, "{}\n", index.error().message), 1;
  index->reset();
  begin = Clock::now();
  index = store.find(plan.environment, plan.key);
  const double opened = microseconds_since(begin);
  if (*index == nullptr) return fmt::print(stderr, "{} has no index\n", folder), 1;
  (*index)->fetch((*index)->bytes());
  fmt::print(
      "environment of {} files, {} tokens: listed in {:.1f} s, built in {:.1f} s, opened in {:.0f} ms; {:.2f} bytes a "
      "token on disk, {:.2f} in own memory; anonymous memory {:.0f} MB before, at most {:.0f} while building\n",
      (*index)->table().files.size(), (*index)->tokens(), listed / 1e6, built / 1e6, opened / 1e3,
      static_cast<double>((*index)->file_bytes()) / static_cast<double>((*index)->tokens()),
      static_cast<double>((*index)->held_bytes()) / static_cast<double>((*index)->tokens()), before, most);
  std::vector<double> look_ups;
  std::size_t right = 0, said = 0;
  for (const auto& text : asked) {
    for (std::size_t i = 32; i < text.size(); ++i) {
      const Clock::time_point now = Clock::now();
      const SuffixMatch match = (*index)->longest_match(std::span(text).first(i));
      look_ups.push_back(microseconds_since(now));
      said += match.length > 0 ? 1 : 0;
      right += !match.continuations.empty() && match.continuations[0].token == text[i] ? 1 : 0;
    }
  }
  const auto places = static_cast<double>(look_ups.size());
  fmt::print("{} look-ups, {:.1f} % answered, {:.1f} % right\n", look_ups.size(),
             100 * static_cast<double>(said) / places, 100 * static_cast<double>(right) / places);
  print_times("a look-up", std::move(look_ups));
  fs::remove_all(folder);
  return 0;
}

int run(int count, char** arguments) {
  if (count < 3) return 2;
  const auto tokenizer = model::load_tokenizer(arguments[1]);
  if (!tokenizer) return fmt::print(stderr, "{}\n", tokenizer.error().message), 1;
  const bool of_environment = std::string_view(arguments[2]) == "--environment";
  if (of_environment && count < 5) return 2;
  const int first = of_environment ? 4 : 2;
  Texts texts, asked;
  std::string longest;
  for (int i = first; i < count; ++i) {
    std::ifstream file(arguments[i], std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.size() > longest.size()) longest = text;
    ((i - first) % 10 == (of_environment ? 0 : 5) ? asked : texts).push_back((*tokenizer)->encode(text));
  }
  if (asked.size() > 20) asked.resize(20);
  if (of_environment) return measure_environment(arguments[3], asked, **tokenizer);
  measure_keys(longest, *tokenizer);
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
