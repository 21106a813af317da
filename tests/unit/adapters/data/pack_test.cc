#include "adapters/data/pack.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "adapters/data/indexed_dataset.h"
#include "adapters/data/sha256.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// A module of its own: no two are near to each other.
std::string module(int seed) {
  std::string out = "\"\"\"Module number " + std::to_string(seed) + ".\"\"\"\n\n";
  for (int i = 0; i < 12; ++i) {
    const std::string name = "name_" + std::to_string(seed * 7919 + i * 31);
    out += "def " + name + "(first_" + std::to_string(seed + i) + ", other):\n    return other.call_" +
           std::to_string(seed * i) + "(" + name + ") + " + std::to_string(seed) + "\n\n\n";
  }
  return out.substr(0, out.size() - 2);
}

class PackTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / (std::string("pack_") + test->name());
    fs::remove_all(root_);
    for (int i = 0; i < 8; ++i) write("code/app/m" + std::to_string(i) + ".py", module(i + 1));
    write("code/LICENSE", "Permission is hereby granted, free of charge, to any person");
    write("held/app/h.py", module(100));
    write("held/LICENSE", "Permission is hereby granted, free of charge, to any person");
    options_.sources = {(root_ / "code").string()};
    options_.held_out = {(root_ / "held").string()};
    options_.out = (root_ / "out").string();
    options_.vocabulary = 400;
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  std::string read(const std::string& path) const {
    std::ifstream file(root_ / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Expected<PackReport> run(const CancelFlag& cancel = {}) const {
    return pack(
        options_, [](const PackProgress&) {}, cancel);
  }
  // The documents of train or valid as text; each must end with the end of text.
  std::vector<std::string> documents(const std::string& part) const {
    const auto tokenizer = model::load_tokenizer((root_ / "out").string());
    const auto dataset = IndexedDataset::open((root_ / "out" / part).string());
    EXPECT_TRUE(tokenizer);
    EXPECT_TRUE(dataset);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < dataset->documents(); ++i) {
      std::vector<TokenId> ids;
      for (const std::uint16_t id : dataset->tokens(i)) ids.emplace_back(id);
      EXPECT_EQ(ids.back(), *(*tokenizer)->control("<|endoftext|>"));
      ids.pop_back();
      out.push_back((*tokenizer)->decode(ids));
    }
    return out;
  }

  fs::path root_;
  PackOptions options_;
};

TEST_F(PackTest, WritesTheDocumentsInSortedOrder) {
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  std::vector<std::string> expected;
  for (int i = 0; i < 8; ++i) expected.push_back(module(i + 1));
  EXPECT_EQ(documents("train"), expected);
  EXPECT_THAT(documents("valid"), ElementsAre(module(100)));
  EXPECT_EQ(report->train.documents, 8u);
}

TEST_F(PackTest, TheManifestSaysWhatWasKeptAndDropped) {
  write("code/app/copy.py", module(3));
  write("code/app/near_held.py", module(100) + "extra = 1\n");
  write("code/app/tiny.py", "x\n");
  write("code/app/id_rsa.py", module(50));
  write("code/gpl/COPYING", "GNU General Public License");
  write("code/gpl/free.py", module(51));
  write("code/app/textwrap.py", module(52));
  write("held/app/textwrap.py", module(101));
  options_.collect.held_out_names = {"textwrap.py"};
  ASSERT_TRUE(run());
  const auto manifest = nlohmann::json::parse(read("out/manifest.json"));
  const nlohmann::json dropped = {{"near duplicate", 1}, {"near duplicate of held-out", 1}, {"too small", 1},
                                  {"secret file", 1},    {"licence not permissive", 1},     {"held-out name", 1}};
  EXPECT_EQ(manifest["train"]["dropped"], dropped);
  EXPECT_EQ(manifest["train"]["files"], 14);
  EXPECT_EQ(manifest["train"]["documents"], 8);
  EXPECT_EQ(manifest["valid"]["bytes"], module(100).size() + module(101).size());
  EXPECT_EQ(manifest["tokenizer"]["vocabulary"], 400);
  EXPECT_EQ(manifest["tokenizer"]["sha256"], sha256_hex(read("out/tokenizer.model")));
  const auto train = IndexedDataset::open((root_ / "out/train").string());
  ASSERT_TRUE(train);
  EXPECT_EQ(manifest["train"]["tokens"], train->total_tokens());
}

TEST_F(PackTest, PacksAllLanguagesAndCountsThem) {
  const std::string script = "// Adds.\nexport function add(first, second) {\n  return first + second;\n}\n";
  const std::string header = "// A point.\n#pragma once\n\nstruct Point {\n  double x = 0, y = 0, height = 0;\n};\n";
  write("code/web/add.js", script);
  write("code/web/add.d.ts", script + "declare const more: number;\n");
  write("code/math/point.hpp", header);
  write("code/readme.txt", header);
  write("held2/LICENSE", "Permission is hereby granted, free of charge, to any person");
  write("held2/web/copy.ts", module(102));
  write("code/web/near.ts", module(102) + "extra = 1\n");
  options_.held_out.push_back((root_ / "held2").string());
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(documents("valid"), ElementsAre(module(100), module(102)));
  const auto manifest = nlohmann::json::parse(read("out/manifest.json"));
  const nlohmann::json& languages = manifest["train"]["languages"];
  EXPECT_EQ(languages.size(), 3u);
  EXPECT_EQ(languages["javascript"]["bytes"], script.size());
  EXPECT_EQ(languages["cpp"]["documents"], 1);
  EXPECT_EQ(languages["python"]["documents"], 8);
  const nlohmann::json dropped = {{"declarations only", 1}, {"near duplicate of held-out", 1}};
  EXPECT_EQ(manifest["train"]["dropped"], dropped);
  EXPECT_EQ(languages["python"]["tokens"].get<int>() + languages["cpp"]["tokens"].get<int>() +
                languages["javascript"]["tokens"].get<int>(),
            manifest["train"]["tokens"].get<int>());
}

TEST_F(PackTest, ExercisesOfBenchmarksAreLeftOut) {
  write("code/app/human_eval.py", module(60));
  write("code/app/exercise.py", module(61) + "\n\ndef has_close_elements(numbers, threshold):\n    pass\n");
  const auto report = run();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->train.collected.dropped.at("benchmark"), 2u);
  EXPECT_EQ(report->train.documents, 8u);
}

TEST_F(PackTest, KeysAreMaskedInWhatIsPacked) {
  const std::string key = std::string("AKIA") + "IOSFODNN7EXAMPLQ";
  write("code/app/m0.py", module(1) + "KEY = '" + key + "'\n");
  const auto report = run();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->train.collected.masked, 1u);
  EXPECT_EQ(documents("train")[0], module(1) + "KEY = '" + std::string(key.size(), '*') + "'\n");
}

TEST_F(PackTest, TheSameInputGivesTheSameFilesWithAnyNumberOfThreads) {
  ASSERT_TRUE(run());
  const std::vector<std::string> names = {"manifest.json", "tokenizer.model", "train.bin",
                                          "train.idx",     "valid.bin",       "valid.idx"};
  std::vector<std::string> first;
  for (const std::string& name : names) {
    first.push_back(read("out/" + name));
    EXPECT_FALSE(first.back().empty()) << name;
  }
  // The tokenizer's file tells how many threads trained it, so it is given the second time.
  options_.tokenizer = (root_ / "out/tokenizer.model").string();
  options_.threads = 3;
  options_.out = (root_ / "again").string();
  ASSERT_TRUE(run());
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_TRUE(read("again/" + names[i]) == first[i]) << names[i];
}

TEST_F(PackTest, AGivenTokenizerIsUsedEvenOutOfTheFolderThatIsReplaced) {
  ASSERT_TRUE(run());
  const std::string before = read("out/tokenizer.model");
  options_.tokenizer = (root_ / "out/tokenizer.model").string();
  write("code/app/zz.py", module(60));
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(read("out/tokenizer.model") == before);
  EXPECT_EQ(documents("train").back(), module(60));
}

TEST_F(PackTest, UnknownLicencesAreRefusedUnlessOneIsAssumed) {
  fs::remove(root_ / "code/LICENSE");
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("none of 8 files is left; dropped: 8 unknown licence"));
  EXPECT_FALSE(fs::exists(root_ / "out"));
  options_.collect.assumed_licence = "MIT";
  const auto assumed = run();
  ASSERT_TRUE(assumed);
  EXPECT_EQ(assumed->train.documents, 8u);
}

TEST_F(PackTest, CancellingLeavesNothingBehind) {
  CancelFlag cancel;
  const auto at_packing = [&cancel](const PackProgress& progress) {
    if (progress.stage == "packing") cancel.cancel();
  };
  const auto report = pack(options_, at_packing, cancel);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("cancelled"));
  EXPECT_FALSE(fs::exists(root_ / "out"));
}

TEST_F(PackTest, ForeignTokenizersAndMissingFoldersAreNamed) {
  write("not.model", "hello");
  options_.tokenizer = (root_ / "not.model").string();
  EXPECT_FALSE(run());
  EXPECT_FALSE(fs::exists(root_ / "out"));
  options_.tokenizer.clear();
  options_.sources = {(root_ / "missing").string()};
  const auto report = run();
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("missing is not a folder"));
}

TEST_F(PackTest, LinksAndForeignFoldersAreNotFollowed) {
  write("elsewhere/secret.py", module(70));
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "code/link");
  fs::create_symlink(root_ / "elsewhere/secret.py", root_ / "code/link.py");
  write("code/node_modules/x.py", module(71));
  const auto report = run();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->train.collected.files, 8u);
}

}  // namespace
}  // namespace weft::adapters
