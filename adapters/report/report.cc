#include "adapters/report/report.h"

#include <fmt/format.h>

#include "adapters/report/plot.h"

namespace weft::adapters {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #d6dae0; --soft: #f4f6f8; --muted: #59636e;
  --first: #0b6bcb; --second: #c2410c; --third: #15803d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e7ec; --paper: #14171b; --faint: #363c44; --soft: #1d2126;
  --muted: #9aa4af; --first: #6bb1ff; --second: #ff9a62; --third: #6fd08c; } }
body { color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { border-bottom: 1px solid var(--faint); padding: .3rem .6rem;
  text-align: left; vertical-align: top; } th { color: var(--muted); font-weight: 600; }
td { font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
pre { background: var(--soft); border-radius: 6px; font: 13px/1.45 ui-monospace, monospace; margin: .3rem 0;
  padding: .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
details { border-bottom: 1px solid var(--faint); padding: .4rem 0; } summary { cursor: pointer; }
.muted { color: var(--muted); } svg { height: auto; width: 100%; } svg text { fill: var(--muted); font-size: 12px; }
svg .axis { stroke: var(--faint); } svg .curve { fill: none; stroke-width: 2; }
svg .c0 { stroke: var(--first); } svg .c1 { stroke: var(--second); } svg .c2 { stroke: var(--third); }
svg .d0 { fill: var(--first); } svg .d1 { fill: var(--second); } svg .d2 { fill: var(--third); }
)";

std::string row(std::string_view cell, const std::vector<std::string>& texts) {
  std::string out = "<tr>";
  for (const std::string& text : texts) out += fmt::format("<{0}>{1}</{0}>", cell, escape_html(text));
  return out + "</tr>\n";
}

std::string to_html(const ReportTable& table) {
  std::string out = fmt::format("<h2>{}</h2>\n<table>\n", escape_html(table.title)) + row("th", table.columns);
  for (const auto& texts : table.rows) out += row("td", texts);
  return out + "</table>\n";
}

std::string metrics(const Report& report) {
  if (report.metrics.empty()) return "";
  ReportTable table{"Base and adapter on held-out files", {"", "base", "adapter", "difference", ""}, {}};
  for (const ReportMetric& metric : report.metrics) {
    table.rows.push_back({metric.name, metric.base, metric.adapter, metric.difference, metric.verdict});
  }
  return to_html(table) + fmt::format("<p class=\"muted\">{}</p>\n", escape_html(report.metrics_note));
}

std::string examples(const std::vector<ReportExample>& examples) {
  if (examples.empty()) return "";
  std::string out = "<h2>Examples</h2>\n";
  for (const ReportExample& example : examples) {
    out += fmt::format(
        "<details><summary>{}</summary>\n<p>given</p><pre>{}</pre>\n<p>wanted</p><pre>{}</pre>\n"
        "<p>base</p><pre>{}</pre>\n<p>adapter</p><pre>{}</pre>\n</details>\n",
        escape_html(example.kind), escape_html(example.prompt), escape_html(example.wanted), escape_html(example.base),
        escape_html(example.adapter));
  }
  return out;
}

std::string entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  const bool control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
  return control ? "\xEF\xBF\xBD" : std::string(1, c);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) out += entity(c);
  return out;
}

std::string to_html(const Report& report) {
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width\">\n";
  out += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n";
  out += fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n", escape_html(report.title), kStyle);
  out += fmt::format("<h1>{}</h1>\n<p>{}</p>\n<pre>{}</pre>\n", escape_html(report.title), escape_html(report.summary),
                     escape_html(report.command));
  out += metrics(report);
  if (!report.curves.empty()) out += "<h2>Curves</h2>\n" + plot_svg(report.curves, {report.x_label, report.y_label});
  for (const ReportTable& table : report.tables) out += to_html(table);
  return out + examples(report.examples) + "</body>\n</html>\n";
}

}  // namespace weft::adapters
