#include "adapters/data/benchmarks.h"

#include <algorithm>
#include <array>
#include <string>

#include <gtest/gtest.h>

namespace weft::adapters {
namespace {

TEST(Benchmarks, AreFoundByTheNamesOfFoldersAndFiles) {
  EXPECT_TRUE(is_named_after_benchmark("tasks/human-eval/data.py"));
  EXPECT_TRUE(is_named_after_benchmark("tasks/MBPP_plus.py"));
  EXPECT_TRUE(is_named_after_benchmark("Exercism/two/fer.js"));
  EXPECT_FALSE(is_named_after_benchmark("django/apps/config.py"));
  EXPECT_FALSE(is_named_after_benchmark("tools/evaluate_human.py"));
}

TEST(Benchmarks, ASignatureIsFoundHoweverItIsWritten) {
  const std::string hash = signature_hash("water_plants(garden,litres)");
  const std::array<std::string_view, 1> known = {hash};
  EXPECT_TRUE(defines_any("def water_plants(garden, litres):\n    pass\n", known));
  EXPECT_TRUE(
      defines_any("import os\n\n\ndef water_plants( garden : list[tuple[int, str]] ,\n"
                  "                 litres: float = max(1, 2),\n) -> None:\n    pass\n",
                  known));
  EXPECT_FALSE(defines_any("def water_plants(garden):\n    pass\n", known));
  EXPECT_FALSE(defines_any("def water_plants(litres, garden):\n    pass\n", known));
  EXPECT_FALSE(defines_any("class A:\n    def water_plants(garden, litres):\n        pass\n", known));
  EXPECT_FALSE(defines_any("water_plants(garden, litres)\n", known));
}

TEST(Benchmarks, BrokenDefinitionsAreNoSignatures) {
  const std::string hash = signature_hash("f(a)");
  const std::array<std::string_view, 1> known = {hash};
  EXPECT_TRUE(defines_any("def f(a): pass\n", known));
  for (const char* text : {"def f(a", "def f", "def ", "def f(a]: pass", "def f: (a)", "def )(a)", "def (,)"}) {
    EXPECT_FALSE(defines_any(text, known)) << text;
  }
}

TEST(Benchmarks, TheListIsSortedAndHasTheSignatureOfARealExercise) {
  const auto known = benchmark_signatures();
  EXPECT_TRUE(std::ranges::is_sorted(known));
  EXPECT_TRUE(defines_any("def has_close_elements(numbers: List[float], threshold: float) -> bool:\n", known));
  EXPECT_FALSE(defines_any("def is_prime(n):\n    return n == 2\n", known));
}

}  // namespace
}  // namespace weft::adapters
