// `weft models inspect`: what is in a checkpoint, what it needs, and what is wrong with it. Main thread.
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "lsp/command/models.h"
#include "lsp/command/progress_bar.h"
#include "model/inspect.h"

namespace weft::lsp {
namespace {

struct Settings {
  std::string path;
  bool check = false, json = false;
};

nlohmann::json to_json(const model::ModelReport& report) {
  nlohmann::json files = nlohmann::json::array();
  for (const auto& file : report.files) files.push_back({{"path", file.path}, {"bytes", file.bytes}});
  nlohmann::json out = {{"path", report.path},
                        {"loads", report.refusal.empty()},
                        {"refusal", report.refusal},
                        {"format", report.format},
                        {"name", report.name},
                        {"family", report.family},
                        {"files", files},
                        {"bytes", report.bytes},
                        {"dtype_bytes", report.dtypes},
                        {"quantization", report.quantization},
                        {"parameters", report.parameters},
                        {"layers", report.layers},
                        {"hidden", report.hidden},
                        {"heads", report.heads},
                        {"kv_heads", report.kv_heads},
                        {"head_dim", report.head_dim},
                        {"vocabulary", report.vocabulary},
                        {"context", report.context},
                        {"kv_bytes_per_token", report.kv_bytes_per_token},
                        {"memory_bytes",
                         {{"fp32", report.memory.fp32},
                          {"bf16", report.memory.bf16},
                          {"int8", report.memory.int8},
                          {"int4", report.memory.int4}}},
                        {"tokenizer", {{"kind", report.tokenizer}, {"tokens", report.tokens}}},
                        {"fim", report.fim},
                        {"missing", report.missing},
                        {"misshapen", report.misshapen},
                        {"unused", report.unused}};
  if (report.not_finite) {
    out["not_finite"] = nlohmann::json::array();
    for (const auto& [tensor, nan, infinite] : *report.not_finite) {
      out["not_finite"].push_back({{"tensor", tensor}, {"nan", nan}, {"infinite", infinite}});
    }
  }
  return out;
}

void print_list(const char* what, const std::vector<std::string>& list) {
  constexpr std::size_t kShown = 8;
  for (std::size_t i = 0; i < std::min(list.size(), kShown); ++i) fmt::print("{:<11}{}\n", i == 0 ? what : "", list[i]);
  if (list.size() > kShown) fmt::print("{:<11}and {} more\n", "", list.size() - kShown);
}

void print_model(const model::ModelReport& report) {
  fmt::print("model      {} ({}), {} parameters\n", report.name, report.family, format_parameters(report.parameters));
  fmt::print("shape      {} layers of {}, {} heads and {} for keys and values, of {}; vocabulary {}\n", report.layers,
             report.hidden, report.heads, report.kv_heads, report.head_dim, report.vocabulary);
  fmt::print("context    {} tokens, {:.1f} KiB of keys and values each\n", report.context,
             static_cast<double>(report.kv_bytes_per_token) / 1024);
  const auto& memory = report.memory;
  fmt::print("memory     fp32 {}, bf16 {}, int8 {}, int4 {}, without keys and values\n", format_bytes(memory.fp32),
             format_bytes(memory.bf16), format_bytes(memory.int8), format_bytes(memory.int4));
  if (!report.tokenizer.empty()) fmt::print("tokenizer  {}, {} tokens\n", report.tokenizer, report.tokens);
  fmt::print("infilling  {}\n",
             report.fim.empty() ? "no tokens for it" : fmt::format("{}", fmt::join(report.fim, " ")));
}

void print(const model::ModelReport& report) {
  if (!report.files.empty()) {
    std::string dtypes;
    for (const auto& [dtype, bytes] : report.dtypes) {
      dtypes += fmt::format("{}{} {}", dtypes.empty() ? "" : ", ", dtype, format_bytes(bytes));
    }
    fmt::print("files      {} of {}, {}: {}\n", report.files.size(), report.format, format_bytes(report.bytes), dtypes);
  }
  if (report.quantization != "none" && !report.quantization.empty()) fmt::print("quantised  {}\n", report.quantization);
  if (!report.family.empty()) print_model(report);
  print_list("missing", report.missing);
  print_list("wrong", report.misshapen);
  print_list("unused", report.unused);
  if (report.not_finite) {
    for (const auto& [tensor, nan, infinite] : *report.not_finite) {
      fmt::print("not finite {}: {} NaN, {} infinite\n", tensor, nan, infinite);
    }
    if (report.not_finite->empty()) fmt::print("values     all finite\n");
  }
}

int run(const Settings& settings) {
  const SteadyClock clock;
  auto bar = std::make_unique<ProgressBar>(clock);
  model::InspectOptions options{.check_values = settings.check};
  if (settings.check) options.progress = [&bar](double fraction) { bar->show(fraction, "reading every value"); };
  const model::ModelReport report = model::inspect(settings.path, options);
  bar.reset();
  if (settings.json) {
    fmt::print("{}\n", to_json(report).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print(report);
  }
  if (report.refusal.empty()) return 0;
  fmt::print(stderr, "weft models inspect: {}\n", report.refusal);
  return 1;
}

}  // namespace

void add_models_inspect_command(CLI::App& models, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app =
      models.add_subcommand("inspect", "Say what is in a checkpoint, what it needs and what is wrong with it");
  app->add_option("PATH", settings->path, "folder of a model, or a .gguf file")
      ->required()
      ->check(CLI::ExistingPath)
      ->type_name("DIR|FILE");
  app->add_flag("--check", settings->check, "read every value, and count those that are not finite");
  app->add_flag("--json", settings->json, "print the report as JSON");
  app->footer(
      "Exit code 1 when weft cannot load it; the reason is the last line.\n\n"
      "Examples:\n"
      "  weft models inspect ./Qwen2.5-Coder-0.5B\n"
      "  weft models inspect qwen2.5-coder-1.5b-q4_k_m.gguf --check --json");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
