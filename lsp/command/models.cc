// `weft models`: the models on this machine, what is in them, and smaller versions of them. Main thread.
#include "lsp/command/models.h"

#include <fmt/format.h>

#include "lsp/command/command.h"

namespace weft::lsp {
namespace {

// Three digits that count, in thousands of thousands.
std::string format_scaled(std::uint64_t number, const char* million, const char* billion) {
  constexpr double kMillion = 1e6, kBillion = 1e9;
  const auto value = static_cast<double>(number);
  if (value >= kBillion) return fmt::format("{:.1f} {}", value / kBillion, billion);
  return fmt::format("{:.{}f} {}", value / kMillion, value < 10 * kMillion ? 1 : 0, million);
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) { return format_scaled(bytes, "MB", "GB"); }
std::string format_parameters(std::uint64_t count) { return format_scaled(count, "M", "B"); }

void add_models_command(CLI::App& root, int& exit_code) {
  CLI::App* models = root.add_subcommand("models", "Find models, look into them, and make them smaller");
  models->require_subcommand(1);
  models->footer(
      "Examples:\n"
      "  weft models list\n"
      "  weft models inspect ./Qwen2.5-Coder-0.5B\n"
      "  weft models quantize ./Qwen2.5-Coder-0.5B --to int8 --out ./coder-int8");
  add_models_list_command(*models, exit_code);
  add_models_inspect_command(*models, exit_code);
  add_models_quantize_command(*models, exit_code);
}

}  // namespace weft::lsp
