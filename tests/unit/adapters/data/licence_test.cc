#include "adapters/data/licence.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/data/sha256.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string kMit = "MIT License\n\nPermission is hereby granted, free of\ncharge, to any person obtaining a copy";
const std::string kGpl = "This program is free software under the\nGNU General Public License version 3";
const std::string kBsd = "Redistribution and use in source and binary forms, with or without modification";

TEST(Sha256, MatchesTheStandardsExamples) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(IsPermissive, ReadsExpressions) {
  for (const char* yes : {"MIT", "Apache-2.0", "PSF-2.0", "ISC", "BSD-3-Clause AND MIT", "GPL-3.0-only OR MIT",
                          "(Apache-2.0 OR BSD-2-Clause)"}) {
    EXPECT_TRUE(is_permissive(yes)) << yes;
  }
  for (const char* no : {"", "GPL-3.0-only", "LGPL", "MIT AND GPL", "MPL-2.0", "unknown", "mit-like"}) {
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
}  // namespace weft::adapters
