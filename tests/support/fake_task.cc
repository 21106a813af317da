#include "tests/support/fake_task.h"

#include <algorithm>
#include <cctype>

namespace weft::test {
namespace {

using adapters::Random;
using adapters::Task;
using adapters::TaskExample;

std::vector<std::string> definitions(std::string_view source) {
  std::vector<std::string> out;
  while (!source.empty()) {
    const std::size_t end = std::min(source.find('\n'), source.size());
    if (source.substr(0, 4) == "def ") out.emplace_back(source.substr(0, end));
    source.remove_prefix(std::min(source.size(), end + 1));
  }
  return out;
}

std::vector<TaskExample> detect(const generation::Language& /*language*/, std::string_view source, Random& /*random*/) {
  std::vector<TaskExample> out;
  for (std::string line : definitions(source)) {
    const auto pair = static_cast<std::int64_t>(out.size() / 2);
    out.push_back({line + "\n# ", "clean", "clean", pair});
    line.back() = ';';
    out.push_back({line + "\n# ", "bug in 0", "semicolon", pair});
  }
  return out;
}

std::vector<TaskExample> rewrite(const generation::Language& /*language*/, std::string_view source,
                                 Random& /*random*/) {
  std::vector<TaskExample> out;
  for (const std::string& line : definitions(source)) {
    std::string name = line.substr(4, line.find('(') - 4);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    out.push_back({line + "\n# ", name, "name"});
  }
  return out;
}

bool same(const TaskExample& wanted, std::string_view answer) { return answer == wanted.answer; }

}  // namespace

const Task& fake_detection() {
  static const Task task{.name = "fake-detection",
                         .summary = "finds semicolons",
                         .max_prompt_tokens = 64,
                         .max_answer_tokens = 16,
                         .examples = detect,
                         .correct = same,
                         .verdicts = {"bug", "clean"}};
  return task;
}

const Task& fake_rewriting() {
  static const Task task{.name = "fake-rewriting",
                         .summary = "names in capitals",
                         .max_prompt_tokens = 64,
                         .max_answer_tokens = 16,
                         .examples = rewrite,
                         .correct = same};
  return task;
}

}  // namespace weft::test
