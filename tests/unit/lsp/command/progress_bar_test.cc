// What the progress line leaves in a log file.
#include "lsp/command/progress_bar.h"

#include <cstdio>
#include <limits>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

class HandClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return now_; }
  void advance(std::chrono::seconds by) { now_ += by; }

 private:
  TimePoint now_{};
};

struct File {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream{std::tmpfile(), std::fclose};
  [[nodiscard]] std::string text() const {
    std::string out;
    std::rewind(stream.get());
    for (int c = std::fgetc(stream.get()); c != EOF; c = std::fgetc(stream.get())) out += static_cast<char>(c);
    return out;
  }
};

TEST(ProgressBar, WritesALineNowAndThenWhereThereIsNoTerminal) {
  const File file;
  HandClock clock;
  {
    ProgressBar bar(clock, file.stream.get());
    bar.show(0.0, "first");
    clock.advance(std::chrono::seconds(1));
    bar.show(0.1, "too soon");
    clock.advance(std::chrono::seconds(30));
    bar.show(0.5, "later");
    bar.show(1.0, "the end is always shown");
  }
  EXPECT_EQ(file.text(), "  0.0% first\n 50.0% later\n100.0% the end is always shown\n");
}

TEST(ProgressBar, NotesAlwaysStay) {
  const File file;
  const HandClock clock;
  ProgressBar bar(clock, file.stream.get());
  bar.show(0.25, "a");
  bar.note("measured");
  bar.note("measured again");
  EXPECT_EQ(file.text(), " 25.0% a\nmeasured\nmeasured again\n");
}

TEST(FormatDuration, IsShort) {
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(59.6), "1m00s");
  EXPECT_EQ(format_duration(75), "1m15s");
  EXPECT_EQ(format_duration(3 * 3600 + 7 * 60 + 1), "3h07m");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::quiet_NaN()), "?");
}

}  // namespace
}  // namespace weft::lsp
