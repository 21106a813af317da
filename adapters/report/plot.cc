#include "adapters/report/plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace weft::adapters {
namespace {

constexpr double kWidth = 720, kHeight = 300, kLeft = 60, kRight = 700, kTop = 30, kBottom = 255;
constexpr std::size_t kColours = 3;  // classes c0, c1, c2 of the page's style
constexpr std::size_t kMostPoints = 400, kMostDots = 40;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

bool finite(const CurvePoint& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

// So many at most, evenly chosen, the last one included.
std::vector<CurvePoint> thinned(const Curve& curve) {
  std::vector<CurvePoint> all;
  std::ranges::copy_if(curve.points, std::back_inserter(all), finite);
  if (all.size() <= kMostPoints) return all;
  std::vector<CurvePoint> out;
  for (std::size_t i = 0; i < kMostPoints; ++i) out.push_back(all[i * (all.size() - 1) / (kMostPoints - 1)]);
  return out;
}

// Values to places on the picture.
struct Axis {
  std::vector<double> marks;
  double begin, end;  // where the first and the last mark stand
  [[nodiscard]] double at(double value) const {
    return begin + (value - marks.front()) / (marks.back() - marks.front()) * (end - begin);
  }
};

std::string draw(const Axis& x, const Axis& y) {
  std::string out;
  for (const double mark : x.marks) {
    out += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\"/>"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4:g}</text>\n",
        x.at(mark), kTop, kBottom, kBottom + 16, mark);
  }
  for (const double mark : y.marks) {
    out += fmt::format(
        "<line class=\"axis\" x1=\"{1}\" y1=\"{0:.1f}\" x2=\"{2}\" y2=\"{0:.1f}\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:g}</text>\n",
        y.at(mark), kLeft, kRight, kLeft - 6, y.at(mark) + 4, mark);
  }
  return out;
}

std::string draw(const std::vector<CurvePoint>& points, const Axis& x, const Axis& y, std::size_t colour) {
  std::string line;
  for (const CurvePoint& point : points) line += fmt::format(" {:.1f},{:.1f}", x.at(point.x), y.at(point.y));
  std::string out =
      fmt::format("<polyline class=\"curve c{}\" points=\"{}\"/>\n", colour, line.substr(line.empty() ? 0 : 1));
  if (points.size() > kMostDots) return out;
  for (const CurvePoint& point : points) {
    out +=
        fmt::format("<circle class=\"d{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>{:g}: {:.4f}</title></circle>\n",
                    colour, x.at(point.x), y.at(point.y), point.x, point.y);
  }
  return out;
}

std::string legend(const std::vector<Curve>& curves) {
  std::string out;
  double at = kLeft;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    out += fmt::format("<circle class=\"d{}\" cx=\"{}\" cy=\"14\" r=\"4\"/><text x=\"{}\" y=\"18\">{}</text>\n",
                       i % kColours, at, at + 8, escape_html(curves[i].name));
    at += 30 + 7.5 * static_cast<double>(curves[i].name.size());
  }
  return out;
}

}  // namespace

std::vector<double> axis_marks(double low, double high) {
  if (!(high > low)) high = low + 1;
  const double raw = (high - low) / 5;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double step = power * (raw / power <= 1 ? 1 : raw / power <= 2 ? 2 : raw / power <= 5 ? 5 : 10);
  const auto first = static_cast<long long>(std::floor(low / step));
  const auto last = static_cast<long long>(std::ceil(high / step));
  std::vector<double> out;
  for (long long i = first; i <= last; ++i) out.push_back(static_cast<double>(i) * step);
  return out;
}

std::string plot_svg(const std::vector<Curve>& curves, const PlotLabels& labels) {
  std::vector<std::vector<CurvePoint>> drawn;
  Range across, up;
  for (const Curve& curve : curves) {
    drawn.push_back(thinned(curve));
    for (const CurvePoint& point : drawn.back()) {
      across.add(point.x);
      up.add(point.y);
    }
  }
  if (!std::isfinite(across.low)) across = up = {0, 1};
  const Axis x{axis_marks(across.low, across.high), kLeft, kRight}, y{axis_marks(up.low, up.high), kBottom, kTop};
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{} over {}\">\n", kWidth, kHeight,
                                escape_html(labels.y), escape_html(labels.x));
  out += draw(x, y);
  for (std::size_t i = 0; i < drawn.size(); ++i) out += draw(drawn[i], x, y, i % kColours);
  out += legend(curves);
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (kLeft + kRight) / 2, kHeight - 8,
                     escape_html(labels.x));
  out += fmt::format("<text x=\"14\" y=\"{0}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {0})\">{1}</text>\n",
                     (kTop + kBottom) / 2, escape_html(labels.y));
  return out + "</svg>\n";
}

}  // namespace weft::adapters
