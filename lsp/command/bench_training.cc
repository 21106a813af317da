// `weft bench training`: how fast this machine trains. Main thread only.
#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adapters/train/throughput.h"
#include "lsp/command/bench.h"
#include "lsp/command/progress_bar.h"

namespace weft::lsp {
namespace {

using adapters::Throughput;
using adapters::ThroughputOptions;

struct Settings {
  ThroughputOptions options;
  bool json = false;
};

void print_json(const Throughput& measured) {
  const nlohmann::ordered_json out = {{"dtype", measured.dtype},
                                      {"parameters", measured.parameters},
                                      {"operations_per_token", measured.operations_per_token},
                                      {"tokens_per_second", measured.tokens_per_second},
                                      {"matrix_operations_per_second", measured.matrix_operations_per_second},
                                      {"share", measured.share},
                                      {"gradients_ms", measured.gradients_ms},
                                      {"optimizer_ms", measured.optimizer_ms}};
  fmt::print("{}\n", out.dump(2));
}

void print_text(const Throughput& measured) {
  fmt::print(
      "{:.1f} M parameters in {}: {:.0f} tokens/s, {:.0f} % of what products of matrices give now ({:.0f} GFLOP/s)\n"
      "a step: gradients {:.0f} ms, optimiser {:.0f} ms\n",
      static_cast<double>(measured.parameters) / 1e6, measured.dtype, measured.tokens_per_second, measured.share * 100,
      measured.matrix_operations_per_second / 1e9, measured.gradients_ms, measured.optimizer_ms);
}

int run(const Settings& settings) {
  const SteadyClock clock;
  auto bar = std::make_unique<ProgressBar>(clock);
  const auto measured = adapters::measure_throughput(settings.options, clock, [&bar](double fraction) {
    bar->show(fraction, fmt::format("{:.0f}%", fraction * 100));
  });
  bar.reset();
  if (!measured) {
    fmt::print(stderr, "weft bench training: {}\n", measured.error().message);
    return 1;
  }
  settings.json ? print_json(*measured) : print_text(*measured);
  return 0;
}

}  // namespace

void add_bench_training_command(CLI::App& bench, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  ThroughputOptions& options = settings->options;
  CLI::App* app = bench.add_subcommand("training", "Tokens a second of `weft pretrain`, and the share of this machine");
  app->add_option("--config", options.config,
                  "folder with the config.json of the model (default: weft's own small one)")
      ->type_name("DIR");
  const auto count = [app](const char* name, std::size_t& value, const char* what) {
    app->add_option(name, value, what)->check(CLI::PositiveNumber)->capture_default_str();
  };
  count("--sequence-tokens", options.sequence_tokens, "tokens in a training sequence");
  count("--batch-tokens", options.batch_tokens, "tokens in a step");
  count("--micro-batch-sequences", options.micro_batch_sequences, "sequences in memory at once");
  count("--steps", options.steps, "steps that are measured; the median counts");
  app->add_option("--threads", options.threads, "compute threads; 0: one per core")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_flag("--json", settings->json, "print the numbers as JSON");
  app->footer("Example:\n  weft bench training --sequence-tokens 512 --batch-tokens 3072");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
