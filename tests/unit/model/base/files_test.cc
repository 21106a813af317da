// Files: mapped ones hold what is on disk; an atomic write is all or nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "model/base/atomic_file.h"
#include "model/base/mmap.h"

namespace weft {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("weft_files_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    path_ = (folder_ / "file").string();
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] static std::string mapped(const MappedFile& file) {
    return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
  }
  fs::path folder_;
  std::string path_;
};

TEST_F(Files, MapsWhatWasWritten) {
  ASSERT_TRUE(write_file_atomically(path_, "one two"));
  auto file = MappedFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  const MappedFile moved = *std::move(file);
  EXPECT_EQ(mapped(moved), "one two");
}

TEST_F(Files, KeepsTheMappedContentWhenTheFileIsReplaced) {
  ASSERT_TRUE(write_file_atomically(path_, "old"));
  const auto file = MappedFile::open(path_);
  ASSERT_TRUE(write_file_atomically(path_, "new and longer"));
  EXPECT_EQ(mapped(*file), "old");
  EXPECT_EQ(mapped(*MappedFile::open(path_)), "new and longer");
}

TEST_F(Files, ReadsPartsOfAMappedFileAndSaysWhereItHasBeenCut) {
  ASSERT_TRUE(write_file_atomically(path_, "one two three"));
  const auto file = MappedFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  std::string out(3, ' ');
  const auto read = [&](std::size_t at) {
    return file->read(file->bytes().subspan(at, 3), reinterpret_cast<std::byte*>(out.data()));
  };
  ASSERT_TRUE(read(4));
  EXPECT_EQ(out, "two");
  fs::resize_file(path_, 9);
  ASSERT_TRUE(read(4));
  EXPECT_EQ(read(8).error().message, "cannot be read: the file ends at byte 9, where it had 13");
}

TEST_F(Files, MapsAnEmptyFileAsNothing) {
  ASSERT_TRUE(write_file_atomically(path_, ""));
  const auto file = MappedFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->bytes().empty());
}

TEST_F(Files, NamesWhatCannotBeOpened) {
  const auto missing = MappedFile::open(path_);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr(path_ + ": No such file"));
  const auto folder = MappedFile::open(folder_.string());
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("not a regular file"));
}

TEST_F(Files, LeavesNothingBehindWhenTheTargetCannotBeReplaced) {
  fs::create_directories(folder_ / "file" / "inside");
  const auto written = write_file_atomically(path_, "text");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("cannot write " + path_));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(Files, WritesAFileThatOthersMayRead) {
  ASSERT_TRUE(write_file_atomically(path_, "text"));
  EXPECT_NE(fs::status(path_).permissions() & fs::perms::group_read, fs::perms::none);
}

}  // namespace
}  // namespace weft
