#include "adapters/train/train_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(TrainReport, HasCurvesNumbersExamplesCommandAndCounts) {
  const fs::path folder = fs::path(testing::TempDir()) / "weft_train_report";
  fs::create_directories(folder);
  std::ofstream(folder / "log.jsonl") << "{\"step\": 1, \"loss\": 4.0}\n{\"step\": 2, \"loss\": 9.0}\nno json\n"
                                      << "{\"step\": 2, \"loss\": 3.0, \"held_out_loss\": 3.5}\n";  // resumed after 1
  TrainOptions options;
  options.out = folder.string();
  options.preset = *find_train_preset("smallest");
  TrainReport result;
  result.info.task = "bug-detection";
  result.info.base_name = "tiny";
  result.info.threshold = 0.8;
  result.base_loss = 5;
  result.data.files = 17;
  result.data.dropped_files = {{"a.py", "too small"}, {"b.py", "too small"}};
  TaskEvalReport evaluation;
  evaluation.examples = 40;
  evaluation.metrics = {{.name = "paired accuracy",
                         .base = {0.5, 0.4, 0.6},
                         .adapter = {0.75, 0.65, 0.85},
                         .difference = {0.25, 0.1, 0.4},
                         .count = 20}};
  evaluation.labels = {{"swapped operands", 12, 5, 9}};
  evaluation.samples = {{"swapped operands", "a - b", "bug", "0.4", "0.9", false, true}};
  const Report report = make_train_report({options, result, &evaluation, "weft train bug-detection --data x"});

  ASSERT_EQ(report.curves.size(), 2U);
  ASSERT_EQ(report.curves[0].points.size(), 2U);
  EXPECT_EQ(report.curves[0].points[1].y, 3.0);  // the later line of a step
  ASSERT_EQ(report.curves[1].points.size(), 2U);
  EXPECT_EQ(report.curves[1].points[0].y, 5.0);  // the base
  ASSERT_EQ(report.metrics.size(), 1U);
  EXPECT_EQ(report.metrics[0].adapter, "75.0 % [65.0, 85.0]");
  EXPECT_EQ(report.metrics[0].verdict, "better");
  const std::string html = to_html(report);
  for (const std::string text : {"weft train bug-detection --data x", "swapped operands", "files dropped: too small",
                                 "<td>17</td>", "0.8000", "a - b"}) {
    EXPECT_THAT(html, HasSubstr(text));
  }
  fs::remove_all(folder);
  // Of a whole model only the losses are known.
  options.full = true;
  const std::string plain = to_html(make_train_report({options, result, nullptr, "weft train bug-detection --full"}));
  EXPECT_THAT(plain, HasSubstr("it was 5.0000 before"));
  EXPECT_THAT(plain, testing::Not(HasSubstr("paired accuracy")));
}

TEST(TrainReport, SaysSoWhereAnAdapterDoesNotHelp) {
  EXPECT_EQ(verdict_of({0.1, -0.1, 0.3}), "no difference to be seen");
  EXPECT_EQ(verdict_of({-0.2, -0.3, -0.1}), "worse");
  EXPECT_EQ(format_interval({-1.2041, -1.31, -1.1}, Metric::Unit::kNumber), "-1.204 [-1.310, -1.100]");
}

}  // namespace
}  // namespace weft::adapters
