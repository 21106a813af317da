// What the syntax gate costs in a real file: of a suggestion that fits (what its author wrote) and of one that does not
// (the same with a word doubled in its middle). In milliseconds of the thread's own time.
//
//   bench_syntax_gate FILE.py
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "generation/syntax/gate.h"

namespace weft::generation {
namespace {

constexpr std::size_t kLinesOfASuggestion = 6;

double own_ms() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

void print(const char* name, std::vector<double> times, std::size_t whole) {
  std::ranges::sort(times);
  const auto at = [&](double share) {
    return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
  };
  fmt::print("{:<10} {:>5} times  p50 {:6.3f}  p95 {:6.3f}  max {:6.3f} ms  whole {}\n", name, times.size(), at(0.5),
             at(0.95), times.back(), whole);
}

int run(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const Language& language = language_for("", path);
  std::vector<double> fits, breaks;
  std::size_t fits_whole = 0, breaks_whole = 0;
  for (std::size_t place = text.find(' '); place != std::string::npos; place = text.find(' ', place + 97)) {
    std::size_t end = place + 1;
    for (std::size_t line = 0; line < kLinesOfASuggestion && end < text.size(); ++line) {
      end = std::min(text.find('\n', end + 1), text.size());
    }
    const std::string written = text.substr(place, end - place);
    std::string before = text;
    before.erase(place, end - place);
    const auto measure = [&](const std::string& suggestion, std::vector<double>& times, std::size_t& whole) {
      const double begin = own_ms();
      auto gate = SyntaxGate::make(language, before, place);
      whole += gate && gate->longest_fit(suggestion) == suggestion.size() ? 1 : 0;
      times.push_back(own_ms() - begin);
    };
    measure(written, fits, fits_whole);
    const std::size_t half = written.size() / 2;
    measure(fmt::format("{} a a ) {}", written.substr(0, half), written.substr(half)), breaks, breaks_whole);
  }
  fmt::print("{}: {} lines, {} bytes\n", path, std::ranges::count(text, '\n'), text.size());
  print("fits", std::move(fits), fits_whole);
  print("breaks", std::move(breaks), breaks_whole);
  return 0;
}

}  // namespace
}  // namespace weft::generation

int main(int argc, char** argv) { return argc == 2 ? weft::generation::run(argv[1]) : 2; }
