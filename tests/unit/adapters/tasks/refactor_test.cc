#include "adapters/tasks/refactor.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "adapters/tasks/lines.h"
#include "adapters/tasks/refactorings.h"

namespace weft::adapters {
namespace {

using generation::Node;
using generation::NodeCursor;
using generation::SyntaxTree;

const generation::Language& python() { return generation::language_for("python", ""); }

// The first statement that the rule takes, rewritten; empty when there is none.
std::string forward(const std::string& name, const std::string& source) {
  const auto tree = SyntaxTree::parse(python(), source);
  NodeCursor cursor(tree->root());
  do {
    if (!is_statement(cursor.node())) continue;
    if (const auto rewrite = find_refactoring(name)->forward(source, cursor.node())) {
      std::string out = source;
      return out.replace(rewrite->range.begin, rewrite->range.end - rewrite->range.begin, rewrite->text);
    }
  } while (cursor.next());
  return "";
}

struct Pair {
  std::string name, clumsy, good;  // no good one: nothing is found
};
class Refactorings : public testing::TestWithParam<Pair> {};

TEST_P(Refactorings, RewriteForward) {
  const auto& [name, clumsy, good] = GetParam();
  EXPECT_EQ(forward(name, clumsy), good);
}

INSTANTIATE_TEST_SUITE_P(
    All, Refactorings,
    testing::Values(
        Pair{"list-comprehension",
             "def f():\n    xs = []\n    for y in ys:\n        if y.ok:\n            xs.append(g(y))\n    return xs\n",
             "def f():\n    xs = [g(y) for y in ys if y.ok]\n    return xs\n"},
        Pair{"list-comprehension", "xs = []\nfor y in ys:\n    xs.append(len(xs))\n", ""},
        Pair{"list-comprehension", "xs = []\nfor y in ys:\n    # why\n    xs.append(y)\n", ""},
        Pair{"list-comprehension", "xs = []\nfor y in ys:\n    xs.append(y)\n    g(y)\n", ""},
        Pair{"list-comprehension", "xs = [1]\nfor y in ys:\n    xs.append(y)\n", ""},
        Pair{"dict-comprehension", "d = {}\nfor k, v in ys:\n    d[k] = v + 1\n", "d = {k: v + 1 for k, v in ys}\n"},
        Pair{"any-all", "def f(xs):\n    for x in xs:\n        if x > 1:\n            return True\n    return False\n",
             "def f(xs):\n    return any(x > 1 for x in xs)\n"},
        Pair{"any-all",
             "def f(xs):\n    for x in xs:\n        if not x.ok:\n            return False\n    return True\n",
             "def f(xs):\n    return all(x.ok for x in xs)\n"},
        Pair{"enumerate", "for i in range(len(xs)):\n    x = xs[i]\n    # here\n    print(i, x)\n",
             "for i, x in enumerate(xs):\n    # here\n    print(i, x)\n"},
        Pair{"enumerate", "for i in range(len(xs)):\n    x = xs[i]\n    i += 1\n", ""},
        Pair{"enumerate", "for i in range(len(xs)):\n    x = ys[i]\n    print(x)\n", ""},
        Pair{"guard-clause",
             "def f(a):\n    if a:\n        return 1\n    else:\n        # so\n        b = 2\n        return b\n",
             "def f(a):\n    if a:\n        return 1\n    # so\n    b = 2\n    return b\n"},
        Pair{"guard-clause", "if a:\n    b = 1\nelse:\n    b = 2\n", ""},
        Pair{"guard-clause", "def f(a):\n    if a:\n        return 1\n    elif b:\n        return 2\n", ""},
        Pair{"returned-condition", "def f(a):\n    if a > 1:\n        return True\n    else:\n        return False\n",
             "def f(a):\n    return a > 1\n"},
        Pair{"returned-condition", "def f(a):\n    if a:\n        return True\n    return False\n",
             "def f(a):\n    return bool(a)\n"},
        Pair{"returned-condition", "def f(a):\n    if a or b:\n        return False\n    return True\n",
             "def f(a):\n    return not (a or b)\n"},
        Pair{"returned-condition", "def f(a):\n    if a:\n        return True\n    return None\n", ""},
        Pair{"merged-ifs", "if a or b:\n    if c:\n        d()\n        e()\n",
             "if (a or b) and c:\n    d()\n    e()\n"},
        Pair{"merged-ifs", "if a:\n    if c:\n        d()\n    else:\n        e()\n", ""},
        Pair{"conditional-expression", "if a:\n    x = 1\nelse:\n    x = 2\n", "x = 1 if a else 2\n"},
        Pair{"conditional-expression", "if a:\n    x = 1\nelse:\n    y = 2\n", ""},
        Pair{"augmented-assignment", "self.x = self.x + (a + b)\n", "self.x += a + b\n"},
        Pair{"augmented-assignment", "x = y + x\n", ""}, Pair{"augmented-assignment", "x = x - y - z\n", ""},
        Pair{"f-string", "raise E(\"no {} in {}\".format(a.b, c[0]))\n", "raise E(f\"no {a.b} in {c[0]}\")\n"},
        Pair{"f-string", "x = 'no %s: %s' % (a, b)\n", "x = f'no {a}: {b}'\n"},
        Pair{"f-string", "x = 'no %d' % a\n", ""}, Pair{"f-string", "x = '{0}'.format(a)\n", ""},
        Pair{"f-string", "x = 'is ' + str(a + 1) + ' now'\n", "x = f'is {a + 1} now'\n"},
        Pair{"f-string", "x = 'is ' + a\n", ""}),
    [](const auto& info) {
      std::string name = info.param.name + std::to_string(info.index);
      std::ranges::replace(name, '-', '_');
      return name;
    });

// Every inverse, on code that it takes: the way back is checked by the examples themselves, their number is not.
TEST(RefactorExamples, ComeFromGoodCodeOfEachKind) {
  const std::string source = R"(
def f(self, xs, d):
    names = [x.name for x in xs if x.name]
    table = {x: g(x) for x in xs}
    for i, x in enumerate(xs):
        print(i, x)
    self.count += len(xs) * 2
    label = f"{self.count} of {len(xs)}"
    kind = "one" if len(xs) == 1 else "many"
    if names and (table or d):
        g(kind, label)
        h()
    if not xs:
        return None
    y = d[0]

    return y


def g(xs):
    return any(x > 1 for x in xs)


def h(a, b):
    return a == b or a is None
)";
  Random random(3);
  const auto examples = find_task("refactor")->examples(python(), source, random);
  for (const Refactoring& row : refactorings()) {
    EXPECT_GE(std::ranges::count(examples, row.name, &TaskExample::label), 1) << row.name;
  }
  for (const TaskExample& example : examples) {
    EXPECT_TRUE(find_task("refactor")->correct(example, example.answer)) << example.prompt << example.answer;
    const std::string clumsy = example.prompt.substr(example.prompt.find('\n') + 1);
    EXPECT_FALSE(find_task("refactor")->correct(example, clumsy)) << example.prompt;
    EXPECT_EQ(margin_of(example.answer), "");
  }
}

TEST(RefactorExamples, AreTheSameForTheSameRandomNumbers) {
  const std::string source = "def f(a):\n    x = f\"{a} b\"\n    y = f\"{x} c\"\n    return a > 1\n";
  const auto run = [&source](std::uint64_t seed) {
    Random random(seed);
    std::string all;
    for (const auto& example : find_task("refactor")->examples(python(), source, random)) all += example.prompt;
    return all;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

std::string found(std::string text) {
  const std::size_t cursor = text.find('|');
  text.erase(cursor, 1);
  std::string names;
  for (const auto& place : find_refactorings(python(), text, cursor)) {
    names += place.refactoring + "@" + text.substr(place.range.begin, place.range.end - place.range.begin) + ";";
  }
  return names;
}

TEST(RefactorPlaces, AreFoundAtTheCursor) {
  const std::string loop = "    xs = []\n    for y in ys:\n        xs.append(y)";
  for (const std::string text : {"def f(ys):\n|    xs = []\n    for y in ys:\n        xs.append(y)\n    return xs\n",
                                 "def f(ys):\n    xs = []\n    for y| in ys:\n        xs.append(y)\n    return xs\n",
                                 "def f(ys):\n    xs = []\n    for y in ys:\n        xs.app|end(y)\n    return xs\n"}) {
    EXPECT_EQ(found(text), "list-comprehension@" + loop + ";") << text;
  }
  EXPECT_EQ(found("def f(ys):\n    xs = []\n    for y in ys:\n        xs.append(y)\n    return x|s\n"), "");
  EXPECT_EQ(found("if a:\n    x = x |+ 1\n"), "augmented-assignment@    x = x + 1;");
  EXPECT_EQ(found("a = 1; x = x |+ 1\n"), "");  // not on lines of its own
  EXPECT_EQ(found("x = x |+\n"), "");
  EXPECT_EQ(found("|"), "");
}

// Only a piece of the text is parsed; where it begins and ends must not be seen.
TEST(RefactorPlaces, AreTheSameInALongText) {
  const std::string loop = "        xs = []\n        for y in ys:\n            xs.append(y)";
  for (const std::string& text :
       {"'''\ndef g():\n'''\nclass A:\n    def f(self, ys):\n        z = \"\"\"\nx\n\"\"\"\n" + loop +
            "|\n\n        def inner():\n            return 1\n        return xs\n\n    def h(self):\n        return "
            "(\n",
        "def g():\n    if a:\n        # why\n# so\n        b = [\n1]\n" + loop + "|\n    else:\n        c = 1\n"}) {
    EXPECT_EQ(found(text), "list-comprehension@" + loop + ";") << text;
  }
  EXPECT_EQ(found("a = 1\nxs = []\nfor y in ys:\n    xs.append|(y)\nb = 1\n"),
            "list-comprehension@xs = []\nfor y in ys:\n    xs.append(y);");
  EXPECT_EQ(found("def f():\n    return 1\nxs = |[]\nfor y in ys:\n    xs.append(y)"),
            "list-comprehension@xs = []\nfor y in ys:\n    xs.append(y);");
  EXPECT_EQ(found("if a:\n    x = 1\nelse:\n    x = |2"), "conditional-expression@if a:\n    x = 1\nelse:\n    x = 2;");
}

TEST(RefactorAnswers, MustParseDifferAndBringNothingNew) {
  const std::string before = "xs = []\nfor y in ys:\n    xs.append(y)";
  EXPECT_EQ(parse_refactor_answer(python(), before, "    xs = [y for y in ys]\n"), "xs = [y for y in ys]");
  for (const std::string answer : {"", "xs = [y for y in", "xs = []\nfor y in ys:\n    xs.append( y )",
                                   "xs = [z for z in ys]", "xs = [y for y in xs]", "import os"}) {
    EXPECT_FALSE(parse_refactor_answer(python(), before, answer)) << answer;
  }
}

TEST(Tasks, AreFoundByName) {
  EXPECT_EQ(known_tasks(), "bug-detection, refactor, function-from-comment");
  EXPECT_EQ(find_task("refactors"), nullptr);
  for (const Task& task : tasks()) EXPECT_EQ(find_task(task.name), &task);
}

}  // namespace
}  // namespace weft::adapters
