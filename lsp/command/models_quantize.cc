// `weft models quantize`: a smaller version of a model. Main thread.
#include <algorithm>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "lsp/command/interrupt.h"
#include "lsp/command/models.h"
#include "lsp/command/progress_bar.h"
#include "model/weights/quantize_checkpoint.h"

namespace weft::lsp {
namespace {

struct Settings {
  model::QuantizeOptions options;
  std::string format;
};

int run(Settings settings) {
  settings.options.format.format = settings.format == "int8" ? model::WeightFormat::kInt8 : model::WeightFormat::kInt4;
  const CancelFlag cancel = cancel_on_interrupt();
  const SteadyClock clock;
  auto bar = std::make_unique<ProgressBar>(clock);
  const auto report = model::quantize_checkpoint(
      settings.options, [&bar](double fraction, std::string_view tensor) { bar->show(fraction, tensor); }, cancel);
  bar.reset();
  if (!report) {
    fmt::print(stderr, "weft models quantize: {}\n", report.error().message);
    return 1;
  }
  fmt::print("{}: {} of {} tensors in {}, {} instead of {}\n", settings.options.to, report->quantized,
             report->quantized + report->kept, settings.format, format_bytes(report->bytes_after),
             format_bytes(report->bytes_before));
  return 0;
}

}  // namespace

void add_models_quantize_command(CLI::App& models, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  settings->options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  CLI::App* app = models.add_subcommand("quantize", "Write a smaller version of a model, in int8 or int4");
  app->add_option("DIR", settings->options.from, "folder of a model in safetensors")
      ->required()
      ->check(CLI::ExistingDirectory);
  app->add_option("--to", settings->format, "int8: half of bf16, hardly a difference; int4: a quarter, a small one")
      ->required()
      ->check(CLI::IsMember({"int8", "int4"}));
  app->add_option("--group", settings->options.format.group, "int4: weights that share a scale: 32, 64 or 128")
      ->check(CLI::IsMember({32, 64, 128}))
      ->capture_default_str();
  app->add_option("--out", settings->options.to, "folder to make; it must not be there yet")
      ->required()
      ->type_name("DIR");
  app->add_option("--threads", settings->options.threads, "threads")->check(CLI::PositiveNumber)->capture_default_str();
  app->footer(
      "The tokenizer's files, memory.json and confidence.json are copied. The folder appears when it is whole: Ctrl-C "
      "leaves nothing behind.\n\n"
      "Examples:\n"
      "  weft models quantize ./Qwen2.5-Coder-1.5B --to int8 --out ./coder-int8\n"
      "  weft models quantize ./Qwen2.5-Coder-7B --to int4 --group 32 --out ./coder-int4");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
