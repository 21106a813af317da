#include "adapters/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

#include "adapters/report/plot.h"

namespace weft::adapters {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(EscapeHtml, LeavesNothingThatABrowserReadsAsMarkup) {
  EXPECT_EQ(escape_html("<a href=\"x\" title='y'>&amp;</a>\n\tß一"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;\n\tß一");
  EXPECT_EQ(escape_html(std::string("a\0b\x1b", 4)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
}

TEST(Report, EveryTextIsEscapedWhereverItStands) {
  const std::string evil = "<script>alert('1')</script>\" onload=\"x";
  Report report;
  report.title = report.summary = report.command = report.metrics_note = report.x_label = report.y_label = evil;
  report.metrics = {{evil, evil, evil, evil, evil}};
  report.curves = {{evil, {{0, 1}, {1, 2}}}};
  report.tables = {{evil, {evil}, {{evil}}}};
  report.examples = {{evil, evil, evil, evil, evil}};
  const std::string html = to_html(report);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("\" onload=")));
  std::size_t found = 0;
  for (std::size_t at = html.find("&lt;script&gt;"); at != std::string::npos;
       at = html.find("&lt;script&gt;", at + 1)) {
    ++found;
  }
  // Title twice, summary, command, note, each label twice, five cells, the legend, three of the table, five texts.
  EXPECT_EQ(found, 2U + 1 + 1 + 1 + 4 + 5 + 1 + 3 + 5);
}

TEST(Report, IsOneFileThatFetchesNothingAndFollowsTheReadersColours) {
  Report report;
  report.title = "bugs";
  report.curves = {{"training", {{1, 2}}}};
  const std::string html = to_html(report);
  EXPECT_THAT(html, Not(HasSubstr("http:")));
  EXPECT_THAT(html, Not(HasSubstr("https:")));
  EXPECT_THAT(html, Not(HasSubstr("src=")));
  EXPECT_THAT(html, Not(HasSubstr("url(")));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST(Report, ShowsTheNumbersItIsGiven) {
  Report report;
  report.metrics = {{"paired accuracy", "48.0 % [40.1, 56.0]", "71.5 % [64.0, 78.0]", "+23.5 [14.0, 33.0]", "better"}};
  report.examples = {{"operator", "a + b", "bug", "0.500", "0.912"}};
  const std::string html = to_html(report);
  EXPECT_THAT(html, HasSubstr("<td>paired accuracy</td><td>48.0 % [40.1, 56.0]</td><td>71.5 % [64.0, 78.0]</td>"
                              "<td>+23.5 [14.0, 33.0]</td><td>better</td>"));
  EXPECT_THAT(html, HasSubstr("<pre>0.912</pre>"));
}

TEST(Plot, PointsStandWhereTheirValuesAre) {
  const std::string svg = plot_svg({{"loss", {{0, 10}, {50, 5}, {100, 0}}}}, {"step", "nats"});
  EXPECT_THAT(svg, HasSubstr("points=\"60.0,30.0 380.0,142.5 700.0,255.0\""));
  EXPECT_THAT(svg, HasSubstr("<title>50: 5.0000</title>"));
}

TEST(Plot, WhatIsNotFiniteIsLeftOutAndNothingIsNotANumber) {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  const std::string svg = plot_svg({{"a", {{0, nan}, {1, infinity}, {2, 3}}}, {"b", {}}}, {"x", "y"});
  EXPECT_FALSE(std::regex_search(svg, std::regex("\\b(nan|inf)\\b")));
  EXPECT_FALSE(std::regex_search(plot_svg({}, {"x", "y"}), std::regex("\\b(nan|inf)\\b")));
}

TEST(Plot, LongCurvesAreThinnedButKeepTheirEnds) {
  Curve curve{"long", {}};
  for (int i = 0; i <= 10000; ++i) curve.points.push_back({static_cast<double>(i), i == 10000 ? 0.0 : 1.0});
  const std::string svg = plot_svg({curve}, {"x", "y"});
  EXPECT_LT(svg.size(), 20000U);
  EXPECT_THAT(svg, HasSubstr("700.0,255.0\""));
}

TEST(AxisMarks, AreRoundAndHoldTheRange) {
  EXPECT_THAT(axis_marks(0, 10), ElementsAre(0, 2, 4, 6, 8, 10));
  for (const auto& [low, high] :
       std::vector<std::pair<double, double>>{{0.013, 0.87}, {3, 3}, {-5, 1e6}, {1e-9, 2e-9}}) {
    const auto marks = axis_marks(low, high);
    EXPECT_LE(marks.front(), low + 1e-15);
    EXPECT_GE(marks.back(), high - 1e-15);
    EXPECT_LE(marks.size(), 8U);
    EXPECT_GE(marks.size(), 2U);
  }
}

}  // namespace
}  // namespace weft::adapters
