#include "adapters/eval/memory_tokens.h"

#include <gtest/gtest.h>

namespace weft::adapters {
namespace {

// Whatever of them is installed: each of their lines would be found there.
TEST(NamesOfProjects, AreTheirFoldersAndWhatTheyAreImportedBy) {
  const auto file = [](std::string path) {
    EvalFile out;
    out.path = std::move(path);
    return out;
  };
  const std::vector<std::vector<EvalFile>> projects = {
      {file("held/py-alpha/alpha/a.py"), file("held/py-alpha/tests/test_a.py"), file("held/py-alpha/single.py")},
      {file("held/loose.py")}};
  EXPECT_EQ(names_of_projects("held", projects), (std::set<std::string>{"alpha", "loose", "py-alpha", "single"}));
}

}  // namespace
}  // namespace weft::adapters
