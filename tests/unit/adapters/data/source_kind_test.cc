#include "adapters/data/source_kind.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::adapters {
namespace {

using testing::Contains;
using testing::Each;
using testing::Not;

TEST(SourceKind, KnowsTheLanguageByTheEnding) {
  EXPECT_EQ(language_of("a/b.py"), "python");
  EXPECT_EQ(language_of("a/b.test.jsx"), "javascript");
  EXPECT_EQ(language_of("a/b.tsx"), "typescript");
  EXPECT_EQ(language_of("a.b/c.hpp"), "cpp");
  EXPECT_EQ(language_of("README"), "other");
  EXPECT_THAT(source_extensions(), Contains(".mts"));
  EXPECT_THAT(source_extensions(), Each(Not("other")));
}

struct Made {
  std::string path, text, reason;
};
class SourceKindDrops : public testing::TestWithParam<Made> {};

TEST_P(SourceKindDrops, WhatAToolMade) {
  EXPECT_EQ(reason_not_written(GetParam().path, GetParam().text), GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    SourceKind, SourceKindDrops,
    testing::Values(Made{"lib/tree.min.js", "x", "minified"}, Made{"types/tree.d.ts", "x", "declarations only"},
                    Made{"wire/tree.pb.cc", "x", "generated"}, Made{"wire/tree_pb2.py", "x", "generated"},
                    Made{"lib/tree.js", "grow();\n//# sourceMappingURL=tree.js.map\n", "generated"},
                    Made{"lib/tree.js", "Object.defineProperty(exports, \"__esModule\", { value: true });\n",
                         "generated"},
                    Made{"lib/tree.js", "var __awaiter = (this && this.__awaiter) || wait;\n", "generated"},
                    Made{"all.hpp", "// An amalgamation of all the headers of tree.\n", "amalgamated"},
                    Made{"all.h", "/* tree: Single-Header version */\n", "amalgamated"}));

TEST(SourceKind, WhatSomebodyWroteIsKept) {
  const std::string maps(4000, ' ');
  EXPECT_EQ(reason_not_written("lib/maps.js", "const mark = 'sourceMappingURL=';\n" + maps + "\nread(mark);\n"), "");
  EXPECT_EQ(reason_not_written("lib/tree.py", "# reads \"__esModule\" and an amalgamation\n"), "");
  EXPECT_EQ(reason_not_written("lib/tree.cc", "#include \"tree.h\"\n\nint height() { return 1; }\n"), "");
}

}  // namespace
}  // namespace weft::adapters
