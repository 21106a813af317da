#include "generation/files/licence.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::generation {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string kMit = "MIT License\n\nPermission is hereby granted, free of\ncharge, to any person obtaining a copy";
const std::string kGpl = "This program is free software under the\nGNU General Public License version 3";
const std::string kBsd = "Redistribution and use in source and binary forms, with or without modification";

TEST(IsPermissive, ReadsExpressions) {
  for (const char* yes : {"MIT", "Apache-2.0", "PSF-2.0", "ISC", "BSD-3-Clause AND MIT", "GPL-3.0-only OR MIT",
                          "(Apache-2.0 OR BSD-2-Clause)", "MIT AND Apache-2.0 WITH LLVM-exception"}) {
    EXPECT_TRUE(is_permissive(yes)) << yes;
  }
  for (const char* no : {"", "GPL-3.0-only", "LGPL", "MIT AND GPL", "MPL-2.0", "unknown", "mit-like",
                         "GPL-2.0-only WITH Classpath-exception-2.0"}) {
    EXPECT_FALSE(is_permissive(no)) << no;
  }
}

TEST(ClassifyLicence, KnowsTextsWhateverTheirLineBreaks) {
  EXPECT_EQ(classify_licence(kMit), "MIT");
  EXPECT_EQ(classify_licence(kBsd), "BSD-2-Clause");
  EXPECT_EQ(classify_licence(kBsd + "\n* Neither the\n  name of the author"), "BSD-3-Clause");
  EXPECT_EQ(classify_licence("Apache License\n   Version 2.0, January 2004"), "Apache-2.0");
  EXPECT_EQ(classify_licence("PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2, PSF. GNU General Public License (GPL)"),
            "PSF-2.0");
  EXPECT_EQ(classify_licence("All yours, have fun"), "");
}

TEST(ClassifyLicence, CopyleftBesidesAPermissiveTextIsCopyleft) {
  EXPECT_EQ(classify_licence(kMit + "\n\nParts are under:\n" + kGpl), "GPL");
}

TEST(MetadataLicence, ExpressionThenClassifiersThenText) {
  EXPECT_EQ(metadata_licence("License: GPL\nLicense-Expression: MIT OR Apache-2.0\n"), "MIT OR Apache-2.0");
  EXPECT_EQ(metadata_licence("License: GPL\nClassifier: License :: OSI Approved :: MIT License\n"), "MIT");
  EXPECT_EQ(metadata_licence("Classifier: License :: OSI Approved\r\nLicense: BSD 3-Clause\r\n"), "BSD-3-Clause");
  EXPECT_EQ(metadata_licence("License: Apache-2.0\n"), "Apache-2.0");
  EXPECT_EQ(metadata_licence("Name: x\n\nLicense: MIT\n"), "");  // behind the blank line is prose
  for (const char* no : {"Classifier: License :: OSI Approved :: MIT License\n"
                         "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)\n",
                         "License: my own terms, like MIT\n", ""}) {
    EXPECT_FALSE(is_permissive(metadata_licence(no))) << no;
  }
}

class LicenceFinderTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / (std::string("licence_") + test->name());
    fs::remove_all(root_);
    fs::create_directories(root_ / "one" / "deep");
    fs::create_directories(root_ / "two");
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const char* path, const std::string& text) const { std::ofstream(root_ / path) << text; }
  std::string licence_of(const char* path, const char* source = "x = 1\n", const char* assumed = "") const {
    auto finder = LicenceFinder::open(root_.string(), assumed);
    EXPECT_TRUE(finder);
    return finder->licence_of(path, source);
  }
  fs::path root_;
};

TEST_F(LicenceFinderTest, TheNearestFolderDecides) {
  write("LICENSE", kMit);
  write("two/COPYING", kGpl);
  EXPECT_EQ(licence_of("one/deep/a.py"), "MIT");
  EXPECT_EQ(licence_of("two/a.py"), "GPL");
  EXPECT_EQ(licence_of("a.py"), "MIT");
}

TEST_F(LicenceFinderTest, SeveralFilesOfOneFolderAllCount) {
  write("one/LICENSE.MIT", kMit);
  write("one/LICENSE.extra", "Ask the author first.");
  EXPECT_EQ(licence_of("one/a.py"), "MIT AND unknown");
  EXPECT_FALSE(is_permissive(licence_of("one/a.py")));
}

TEST_F(LicenceFinderTest, TheMapComesBeforeTheFilesAndTheSourceBeforeTheMap) {
  write("one/LICENSE", kGpl);
  write("licences.json", R"({"one": "BSD-3-Clause"})");
  EXPECT_EQ(licence_of("one/deep/a.py"), "BSD-3-Clause");
  EXPECT_EQ(licence_of("one/deep/a.py", "# SPDX-License-Identifier: GPL-2.0-only\n"), "GPL-2.0-only");
}

TEST_F(LicenceFinderTest, ACopyleftHeaderComesBeforeTheMap) {
  write("licences.json", R"({"one": "MIT"})");
  const char* gpl =
      "/* tree.h\n *\n * Under the terms of the GNU General\n * Public License, version 2.\n */\nint tree();\n";
  EXPECT_EQ(licence_of("one/a.h", gpl), "GPL");
  EXPECT_EQ(licence_of("one/a.py", "# GNU Lesser General Public License\n\nx = 1\n"), "LGPL");
  EXPECT_EQ(licence_of("one/b.h", "// Licensed under the Apache License, Version 2.0\nint tree();\n"), "MIT");
  EXPECT_EQ(licence_of("one/c.py", "names = {\n    # GNU General Public License\n}\n"), "MIT");
}

TEST_F(LicenceFinderTest, NothingKnownIsEmptyOrTheAssumedOne) {
  EXPECT_EQ(licence_of("two/a.py"), "");
  EXPECT_EQ(licence_of("two/a.py", "x = 1\n", "MIT"), "MIT");
}

TEST_F(LicenceFinderTest, ABrokenMapIsAnError) {
  write("licences.json", "[1");
  const auto finder = LicenceFinder::open(root_.string(), "");
  ASSERT_FALSE(finder);
  EXPECT_THAT(finder.error().message, HasSubstr("licences.json"));
}

}  // namespace
}  // namespace weft::generation
