#include "generation/files/python_environment.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

class PythonEnvironmentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::canonical(::testing::TempDir()) /
            (std::string("python_environment_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  [[nodiscard]] std::string path(const std::string& relative) const { return (root_ / relative).string(); }
  void write(const std::string& relative, const std::string& text = "x = 1\n") const {
    fs::create_directories((root_ / relative).parent_path());
    std::ofstream(root_ / relative, std::ios::binary) << text;
  }
  // An interpreter at usr/bin with a library, and a virtual environment over it.
  void write_interpreter() const {
    write("usr/bin/python3.11");
    fs::create_symlink("python3.11", root_ / "usr/bin/python3");
    write("usr/lib/python3.11/os.py");
    write("usr/lib/python3.11/site-packages/of_system.py");
  }
  void write_venv(const std::string& folder, const std::string& more = "") const {
    write(folder + "/pyvenv.cfg", "home = " + path("usr/bin") + "\nversion = 3.11.7\n" + more);
    write(folder + "/lib/python3.11/site-packages/of_venv.py");
  }
  [[nodiscard]] std::vector<PythonPackage> list(const std::set<std::string>& imported = {},
                                                const std::set<std::string>& excluded = {},
                                                const PythonPackagesLimits& limits = {}) const {
    return list_python_packages({path("std"), {path("site")}}, imported, excluded, limits, {});
  }

  fs::path root_;
};

std::vector<std::string> names_of(const std::vector<PythonPackage>& packages) {
  std::vector<std::string> names;
  for (const PythonPackage& package : packages) names.push_back(package.name);
  return names;
}

std::vector<std::string> paths_of(const PythonPackage& package) {
  std::vector<std::string> paths;
  for (const SourceFile& file : package.files) paths.push_back(file.relative);
  return paths;
}

using Names = std::vector<std::string>;

TEST_F(PythonEnvironmentTest, IsTheVirtualOneInTheProjectOrAboveIt) {
  write_interpreter();
  write_venv("code/.venv");
  fs::create_directories(root_ / "code/project/inner");
  const auto found = find_python_environment(path("code/project/inner"), {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->standard_library, path("usr/lib/python3.11"));
  EXPECT_EQ(found->site_folders, Names{path("code/.venv/lib/python3.11/site-packages")});
  write_venv("code/project/venv", "include-system-site-packages = true\n");
  const auto nearer = find_python_environment(path("code/project"), {});
  ASSERT_TRUE(nearer);
  ASSERT_GE(nearer->site_folders.size(), 2u);
  EXPECT_EQ(nearer->site_folders[0], path("code/project/venv/lib/python3.11/site-packages"));
  EXPECT_EQ(nearer->site_folders[1], path("usr/lib/python3.11/site-packages"));
}

TEST_F(PythonEnvironmentTest, ElseWhatTheVariablesName) {
  write_interpreter();
  write_venv("elsewhere");
  const auto named = find_python_environment(path("code"), {path("elsewhere"), path("usr/bin")});
  ASSERT_TRUE(named);
  EXPECT_EQ(named->site_folders, Names{path("elsewhere/lib/python3.11/site-packages")});
  write("shims/python3");  // has no library beside it
  const auto on_path = find_python_environment(path("code"), {"", "relative:" + path("shims") + ":" + path("usr/bin")});
  ASSERT_TRUE(on_path);
  EXPECT_EQ(on_path->standard_library, path("usr/lib/python3.11"));
  EXPECT_FALSE(find_python_environment(path("code"), {path("nowhere"), path("shims")}));
}

TEST_F(PythonEnvironmentTest, ListsPackagesWithTheirLicencesImportedOnesFirst) {
  write("std/os.py");
  write("std/test/test_os.py");
  write("std/site-packages/of_std.py");
  write("site/alpha/__init__.py");
  write("site/alpha/tests/test_a.py");
  write("site/alpha/data.json", "{}");
  write("site/Alpha_Dist-1.2.dist-info/RECORD", "alpha/__init__.py,sha256=x,1\n../../../bin/a,,\n");
  write("site/Alpha_Dist-1.2.dist-info/METADATA", "Name: Alpha\nLicense-Expression: MIT\n\nLicense: GPL\n");
  write("site/beta.py");
  write("site/beta-0.1.dist-info/METADATA", "Classifier: License :: OSI Approved :: BSD License\n");
  write("site/gamma/__init__.py");
  write("site/gamma-3.egg-info/PKG-INFO", "License: GPLv3\n");
  write("site/gamma-3.egg-info/top_level.txt", "gamma\n");
  write("site/unknown.py");
  const auto packages = list({"gamma"});
  ASSERT_EQ(names_of(packages), (Names{"gamma", "python", "alpha", "beta", "unknown"}));
  EXPECT_EQ(packages[0].licence, "GPLv3");
  EXPECT_EQ(packages[0].version, "3");
  EXPECT_EQ(packages[1].licence, "PSF-2.0");
  EXPECT_EQ(paths_of(packages[1]), Names{"os.py"});
  EXPECT_EQ(packages[2].licence, "MIT");
  EXPECT_EQ(packages[2].version, "1.2");
  EXPECT_EQ(paths_of(packages[2]), Names{"alpha/__init__.py"});
  EXPECT_EQ(packages[3].licence, "BSD-3-Clause");
  EXPECT_EQ(packages[4].licence, "");
}

TEST_F(PythonEnvironmentTest, LicencesOfAllThatShareAName) {
  write("site/shared/a.py");
  for (const char* name : {"one", "two"}) {
    const std::string info = std::string("site/") + name + "-1.dist-info/";
    write(info + "RECORD", "shared/a.py,,\n");
    write(info + "METADATA", std::string("License-Expression: ") + (name[0] == 'o' ? "MIT" : "GPL-3.0-only") + "\n");
  }
  const auto packages = list();
  ASSERT_EQ(packages.size(), 1u);
  EXPECT_NE(packages[0].licence.find("GPL-3.0-only"), std::string::npos);
  EXPECT_NE(packages[0].licence.find("MIT"), std::string::npos);
}

TEST_F(PythonEnvironmentTest, LeavesOutSecretsAndWhatIsExcluded) {
  write("site/alpha/__init__.py");
  write("site/alpha/.env");
  write("site/alpha/.ssh/key.py");
  write("site/alpha/vendored/beta.py");
  write("site/beta/__init__.py");
  const auto packages = list({}, {"beta"});
  ASSERT_EQ(names_of(packages), Names{"alpha"});
  EXPECT_EQ(paths_of(packages[0]), Names{"alpha/__init__.py"});
}

TEST_F(PythonEnvironmentTest, StopsAtTheLimits) {
  for (const char* name : {"a", "b", "c", "d"}) write(std::string("site/") + name + ".py", "12345678\n");
  EXPECT_EQ(names_of(list({"d"}, {}, {.files = 2, .bytes = 1000})), (Names{"d", "a"}));
  EXPECT_EQ(names_of(list({}, {}, {.files = 100, .bytes = 30})), (Names{"a", "b", "c"}));
}

TEST(ImportedNames, AreTheFirstOfEachImport) {
  EXPECT_EQ(imported_names("import os, numpy.linalg as la\n  from a.b import c\nfrom . import x\nfrom .y import z\n"
                           "important = 1\nimport  re\r\n# import no\n"),
            (std::set<std::string>{"os", "numpy", "a", "re"}));
}

}  // namespace
}  // namespace weft::generation
