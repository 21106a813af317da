// URIs and paths.
#include "lsp/uri.h"

#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

TEST(Uri, PathsComeBack) {
  for (const char* path : {"/", "/a.py", "/with space/ä€𝕏.py", "/100%/a?b#c:d.py", "/~user/-_./x"}) {
    const auto back = path_of_uri(uri_of_path(path));
    ASSERT_TRUE(back) << path;
    EXPECT_EQ(*back, path);
  }
}

TEST(Uri, HostQueryAndFragmentAreNotPartOfThePath) {
  EXPECT_EQ(*path_of_uri("file://localhost/a.py"), "/a.py");
  EXPECT_EQ(*path_of_uri("file:///a.py?x=1#l2"), "/a.py");
  EXPECT_EQ(*path_of_uri("vscode-notebook-cell:/a/b.ipynb#W0"), "/a/b.ipynb");
}

}  // namespace
}  // namespace weft::lsp
