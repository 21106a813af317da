// The report of a training: one HTML file that needs nothing else, no script and no network, in light and dark. All
// text in it is data and is escaped. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft::adapters {

struct CurvePoint {
  double x = 0, y = 0;
};

struct Curve {
  std::string name;
  std::vector<CurvePoint> points;  // by x; those that are not finite are left out
};

// One measure, its numbers formatted.
struct ReportMetric {
  std::string name, base, adapter, difference;
  std::string verdict;  // "better", "worse", "no difference to be seen"
};

struct ReportExample {
  std::string kind, prompt, wanted, base, adapter;
};

struct ReportTable {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as the columns
};

struct Report {
  std::string title, summary, command;
  std::vector<ReportMetric> metrics;
  std::string metrics_note;
  std::vector<Curve> curves;  // all on one pair of axes
  std::string x_label, y_label;
  std::vector<ReportTable> tables;  // the run, what the data was, kinds of examples
  std::vector<ReportExample> examples;
};

[[nodiscard]] std::string to_html(const Report& report);

// & < > " ' as entities; control characters but tab and line end as U+FFFD.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace weft::adapters
