// Curves as SVG inside of a page, coloured by the page's style. Pure.
#pragma once

#include <string>
#include <vector>

#include "adapters/report/report.h"

namespace weft::adapters {

struct PlotLabels {
  std::string x, y;
};

// All curves on one pair of axes with a legend. Nothing finite to show: an empty frame.
[[nodiscard]] std::string plot_svg(const std::vector<Curve>& curves, const PlotLabels& labels);

// Marks from at or below `low` to at or above `high`, at most eight, at 1, 2 or 5 times a power of ten.
[[nodiscard]] std::vector<double> axis_marks(double low, double high);

}  // namespace weft::adapters
