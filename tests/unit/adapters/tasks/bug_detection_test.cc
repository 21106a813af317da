#include "adapters/tasks/bug_detection.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "adapters/tasks/lines.h"
#include "adapters/tasks/mutations.h"

namespace weft::adapters {
namespace {

const generation::Language& python() { return generation::language_for("python", ""); }

const std::string kFunction = R"(def total(items, limit, self):
    """Adds up to a limit."""
    result = 0
    for index, item in enumerate(items):
        if item.price > limit and not item.hidden:
            continue
        result += int(item.price) * self.rate(index, limit)
        name = item.title.strip()
        if name == "end" or items[-1] is None:
            break
    log(name, result, flag=True)
    return self.finish(result - limit)
)";

std::string with_line(const std::string& function, const BugReport& report) {
  std::string out;
  const auto lines = lines_of(function);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += i == report.line ? std::string(margin_of(lines[i])) + report.fixed : std::string(lines[i]);
    out += '\n';
  }
  return out;
}

std::map<std::string, std::set<std::string>> all_mutants(const std::string& function, int draws) {
  std::map<std::string, std::set<std::string>> mutants;
  Random random(7);
  for (int i = 0; i < draws; ++i) {
    const auto mutant = mutate(python(), function, random);
    if (mutant) mutants[std::string(mutant->rule)].insert(mutant->text);
  }
  return mutants;
}

TEST(Mutations, DifferInOneLineAndParse) {
  const auto mutants = all_mutants(kFunction, 400);
  EXPECT_GE(mutants.size(), 12U);
  for (const auto& [rule, texts] : mutants) {
    for (const std::string& text : texts) {
      EXPECT_TRUE(parses(python(), text)) << rule << "\n" << text;
      const auto before = lines_of(kFunction), after = lines_of(text);
      ASSERT_EQ(before.size(), after.size());
      int differing = 0;
      for (std::size_t i = 0; i < before.size(); ++i) differing += before[i] == after[i] ? 0 : 1;
      EXPECT_EQ(differing, 1) << rule << "\n" << text;
    }
  }
}

struct RuleCase {
  std::string rule, line;
  std::set<std::string> mutants;  // all of them
};
class MutationRules : public testing::TestWithParam<RuleCase> {};

// Each rule alone, on a function of one statement: exactly these.
TEST_P(MutationRules, ProposeExactlyThese) {
  const auto& [rule, line, wanted] = GetParam();
  const std::string head = "def f(a, b, self):\n    ";
  std::set<std::string> found;
  auto mutants = all_mutants(head + line + "\n", 800);
  for (const std::string& text : mutants[rule]) {
    found.insert(text.substr(head.size(), text.size() - head.size() - 1));
  }
  EXPECT_EQ(found, wanted);
}

INSTANTIATE_TEST_SUITE_P(
    All, MutationRules,
    testing::Values(
        RuleCase{"wrong-variable", "return a.x", {"return b.x"}}, RuleCase{"wrong-variable", "return self.a", {}},
        RuleCase{"wrong-variable", "return g(a=b)", {"return g(a=a)"}},
        RuleCase{"missing-argument", "g(1, b, k=a)", {"g(1, b)"}}, RuleCase{"missing-argument", "g(1)", {}},
        RuleCase{"wrong-number", "return b[0]", {"return b[1]"}},
        RuleCase{"wrong-number", "return b[-1]", {"return b[0]"}},
        RuleCase{"wrong-number", "return range(2, 1000)", {"return range(1, 1000)", "return range(3, 1000)"}},
        RuleCase{"missing-wrapper", "return g(str(a))", {"return g(a)"}},
        RuleCase{"missing-wrapper", "print(str(a))", {}},
        RuleCase{"missing-wrapper", "return [x for x in list(a)]", {}},
        RuleCase{"wrong-attribute", "return a.x + a.y", {"return a.y + a.y", "return a.x + a.x"}},
        RuleCase{"wrong-function", "return g(h(a))", {"return h(h(a))", "return g(g(a))"}},
        RuleCase{"wrong-method", "a.append(b)", {"a.extend(b)", "a.add(b)"}},
        RuleCase{"missing-call", "return a.strip()", {"return a.strip", "return a"}},
        RuleCase{"missing-call", "a.strip()", {}},
        RuleCase{"missing-condition", "return a and b", {"return a", "return b"}},
        RuleCase{"wrong-boolean", "g(k=True)", {"g(k=False)"}},
        RuleCase{"wrong-comparison", "return a < b", {"return a <= b", "return a > b"}},
        RuleCase{"wrong-comparison", "return a if a < b else b", {"return a if a > b else b"}},
        RuleCase{"wrong-comparison", "return a not in b", {"return a in b"}},
        RuleCase{"wrong-comparison", "return a < b < 2", {}},
        RuleCase{"missing-attribute", "return self.a", {"return a"}},
        RuleCase{"wrong-operator", "return a + b", {"return a - b"}}, RuleCase{"wrong-operator", "return a + 'x'", {}},
        RuleCase{"negated-condition", "return not a", {"return a"}},
        RuleCase{"wrong-connective", "return a or b", {"return a and b"}},
        RuleCase{"missing-return", "return g(a)", {"g(a)"}},
        RuleCase{"swapped-operands", "return a - b", {"return b - a"}},
        RuleCase{"swapped-operands", "return a + b", {}}, RuleCase{"swapped-operands", "return a - a", {}},
        RuleCase{"swapped-arguments", "g(a, b)", {"g(b, a)"}}, RuleCase{"swapped-arguments", "g(a, a)", {}},
        RuleCase{"swapped-arguments", "max(a, b)", {}}, RuleCase{"wrong-assignment", "a += b", {"a -= b", "a = b"}},
        RuleCase{"identity-for-equality", "return a == 'x'", {"return a is 'x'"}},
        RuleCase{"missing-await", "await a", {"a"}}),
    [](const auto& info) {
      std::string name = info.param.rule + std::to_string(info.index);
      std::ranges::replace(name, '-', '_');
      return name;
    });

TEST(Mutations, ReplaceVariablesOnlyByThoseBoundBefore) {
  const std::string text = "def f(a):\n    first = a\n    second = first\n    return second\n";
  const auto mutants = all_mutants(text, 300);
  ASSERT_TRUE(mutants.contains("wrong-variable"));
  EXPECT_FALSE(
      mutants.at("wrong-variable").contains("def f(a):\n    first = second\n    second = first\n    return second\n"));
  EXPECT_FALSE(
      mutants.at("wrong-variable").contains("def f(a):\n    first = first\n    second = first\n    return second\n"));
  EXPECT_TRUE(mutants.at("wrong-variable").contains("def f(a):\n    first = a\n    second = a\n    return second\n"));
}

TEST(Mutations, LeaveSignaturesAndStringsAlone) {
  const std::string text =
      "@cached(1)\ndef f(a: int = 1, b=True) -> int:\n    \"\"\"a is not b + 1.\"\"\"\n    return a\n";
  for (const auto& [rule, texts] : all_mutants(text, 100)) {
    for (const auto& mutant : texts) EXPECT_EQ(lines_of(mutant)[3] == lines_of(text)[3], false) << mutant;
  }
}

TEST(Mutations, NeedOneWholeFunction) {
  Random random(1);
  EXPECT_FALSE(mutate(python(), "x = a + b\n", random));
  EXPECT_FALSE(mutate(python(), "def f(a):\n    return a +\n", random));
  EXPECT_FALSE(mutate(python(), "def f(a):\n    return 1000\n", random));
}

const std::string kSource =
    "import os\n\n\nclass Cart:\n    def total(self, items):\n        result = 0\n        for item in "
    "items:\n            result += item.price\n        return result\n\n\ndef tiny(): return 1\n";

TEST(BugExamples, ComeInPairsWhoseAnswersLeadBack) {
  const Task& task = *find_task("bug-detection");
  for (int seed = 0; seed < 40; ++seed) {
    Random random(static_cast<std::uint64_t>(seed));
    const auto examples = task.examples(python(), kSource, random);
    ASSERT_EQ(examples.size(), 2U);
    const auto& buggy = examples[0];
    const auto& clean = examples[1];
    EXPECT_EQ(buggy.pair, clean.pair);
    EXPECT_GE(buggy.pair, 0);
    EXPECT_EQ(clean.label, "clean");
    EXPECT_EQ(clean.answer, clean_verdict());
    EXPECT_TRUE(buggy.answer.starts_with(bug_verdict()));
    const std::string marker = bug_prompt("");
    const std::string mutant = buggy.prompt.substr(0, buggy.prompt.size() - marker.size());
    const auto report = parse_bug_answer(mutant, buggy.answer);
    ASSERT_TRUE(report) << buggy.answer;
    EXPECT_EQ(bug_prompt(with_line(mutant, *report)), clean.prompt);
    EXPECT_TRUE(clean.prompt.starts_with("def total(self, items):\n    result = 0\n"));
    EXPECT_TRUE(task.correct(buggy, buggy.answer));
    EXPECT_FALSE(task.correct(buggy, clean.answer));
    EXPECT_FALSE(task.correct(clean, buggy.answer));
    EXPECT_TRUE(task.correct(clean, "ok\n"));
  }
}

TEST(BugExamples, DependOnTheRandomNumbersAlone) {
  const auto run = [](std::uint64_t seed) {
    Random random(seed);
    std::string all;
    for (const auto& example : find_task("bug-detection")->examples(python(), kSource, random)) {
      all += example.prompt + example.answer + std::to_string(example.pair);
    }
    return all;
  };
  EXPECT_EQ(run(3), run(3));
  EXPECT_NE(run(3), run(4));
}

TEST(BugExamples, SkipWhatIsTooLong) {
  std::string source = "def f(a, b):\n";
  for (int i = 0; i < 200; ++i) source += "    a = b + " + std::to_string(i) + "\n";
  Random random(1);
  EXPECT_TRUE(find_task("bug-detection")->examples(python(), source + "    return a\n", random).empty());
}

TEST(BugAnswers, NameALineExactly) {
  const std::string function = "def f(a):\n    x = a\n    y = a\n    x = a\n    return y\n";
  const auto report = parse_bug_answer(function, "bug\n- y = a\n+ y = x\n");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->line, 2U);
  EXPECT_EQ(report->fixed, "y = x");
  for (const std::string answer :
       {"ok", "", "bug", "bug\n- y = b\n+ y = x", "bug\n- x = a\n+ x = b", "bug\n- y = a", "bug\n- y = a\n+ ",
        "bug\n- y = a\n+ y = a", "bug\n- \n+ y", "bug y = a\n+ y = x", "bug\n- y = a\n+ y = x\nmore"}) {
    EXPECT_FALSE(parse_bug_answer(function, answer)) << answer;
  }
}

TEST(BugAnswers, VerdictsDifferFromTheFirstByte) { EXPECT_NE(bug_verdict()[0], clean_verdict()[0]); }

}  // namespace
}  // namespace weft::adapters
