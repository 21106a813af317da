// `weft pretrain`: trains a base model from packed data. Main thread.
#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adapters/train/pretrain.h"
#include "lsp/command/command.h"
#include "lsp/command/interrupt.h"
#include "lsp/command/progress_bar.h"

namespace weft::lsp {
namespace {

using adapters::PretrainOptions;
using adapters::PretrainProgress;
using adapters::PretrainReport;

struct Settings {
  PretrainOptions options;
  bool fresh = false;
  bool json = false;
};

std::string describe(const PretrainProgress& progress) {
  return fmt::format("step {}/{}  loss {:.4f}  lr x{:.3f}  grad {:.2f}  {:.0f} tokens/s  ETA {}", progress.step,
                     progress.total_steps, progress.loss, progress.learning_rate_scale, progress.gradient_norm,
                     progress.tokens_per_second, format_duration(progress.eta_seconds));
}

void show(ProgressBar& bar, const PretrainProgress& progress) {
  const double fraction =
      progress.total_steps == 0 ? 0 : static_cast<double>(progress.step) / static_cast<double>(progress.total_steps);
  if (progress.held_out_bits_per_byte >= 0) {
    bar.note(fmt::format("step {}: held-out {:.4f} bits per byte", progress.step, progress.held_out_bits_per_byte));
  }
  bar.show(fraction, describe(progress));
}

void print_json(const PretrainReport& report) {
  const nlohmann::json out = {{"steps", report.steps},
                              {"tokens", report.tokens},
                              {"loss", report.loss},
                              {"held_out_bits_per_byte", report.held_out_bits_per_byte},
                              {"interrupted", report.interrupted},
                              {"model_directory", report.model_directory}};
  fmt::print("{}\n", out.dump(2));
}

void print_text(const PretrainReport& report) {
  fmt::print("trained {} steps, {} tokens; loss {:.4f}, held-out {:.4f} bits per byte\nmodel: {}\n", report.steps,
             report.tokens, report.loss, report.held_out_bits_per_byte, report.model_directory);
}

int run(Settings settings) {
  settings.options.resume = !settings.fresh;
  const CancelFlag cancel = cancel_on_interrupt();
  const SteadyClock clock;
  auto bar = std::make_unique<ProgressBar>(clock);
  const auto report = adapters::pretrain(
      settings.options, [&bar](const PretrainProgress& progress) { show(*bar, progress); }, cancel);
  bar.reset();
  if (!report) {
    fmt::print(stderr, "weft pretrain: {}\n", report.error().message);
    return 1;
  }
  if (report->interrupted) {
    fmt::print(stderr,
               "weft pretrain: interrupted after step {}; the checkpoint is saved in {}. Run the same command "
               "again to continue.\n",
               report->steps, settings.options.out);
  }
  if (settings.json) {
    print_json(*report);
  } else if (!report->interrupted) {
    print_text(*report);
  }
  return report->interrupted ? 1 : 0;
}

void add_shape_options(CLI::App& app, PretrainOptions& options) {
  app.add_option("--data", options.data, "folder written by `weft data pack`")->required()->type_name("DIR");
  app.add_option("--out", options.out, "where checkpoints, log.jsonl and the packaged model go")
      ->required()
      ->type_name("DIR");
  app.add_option("--config", options.config, "config.json of the model to make (default: weft's own small model)")
      ->type_name("FILE");
  app.add_option("--init-from", options.init_from, "packaged model whose weights a fresh run starts from")
      ->type_name("DIR");
  app.add_option("--name", options.name, "name of the model")->capture_default_str();
  app.add_option("--sequence-tokens", options.sequence_tokens, "tokens in a training sequence")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--batch-tokens", options.batch_tokens, "tokens in a step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--micro-batch-sequences", options.micro_batch_sequences, "sequences in memory at once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", options.threads, "compute threads; 0: one per core")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void add_schedule_options(CLI::App& app, PretrainOptions& options) {
  app.add_option("--total-steps", options.total_steps, "steps in all")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--warmup-steps", options.warmup_steps, "first steps, with a rising learning rate")
      ->capture_default_str();
  app.add_option("--decay-steps", options.decay_steps, "last steps, with a learning rate that falls to zero")
      ->capture_default_str();
  app.add_option("--muon-lr", options.muon_lr, "learning rate of matrices (Muon)")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--adamw-lr", options.adamw_lr, "learning rate of embeddings and norms (AdamW)")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--weight-decay", options.weight_decay, "weight decay")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--clip-norm", options.clip_norm, "largest gradient norm")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--fim-rate", options.fim_rate, "share of documents cut for infilling")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--spm-rate", options.spm_rate, "share of the cut ones with the suffix first")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "seed of the weights, the order and the cuts")->capture_default_str();
  app.add_option("--checkpoint-every-steps", options.checkpoint_every_steps, "steps between checkpoints")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--evaluate-every-steps", options.evaluate_every_steps, "steps between measurements on held-out files")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--branch-decay", options.branch_decay, "start the decay now, from the newest checkpoint");
}

}  // namespace

void add_pretrain_command(CLI::App& root, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = root.add_subcommand("pretrain", "Train a base model from packed data");
  add_shape_options(*app, settings->options);
  add_schedule_options(*app, settings->options);
  app->add_flag("--fresh", settings->fresh, "ignore checkpoints in --out instead of continuing from the newest");
  app->add_flag("--json", settings->json, "print the report as JSON");
  app->footer(
      "Stops cleanly at Ctrl-C (exit code 1) and continues when run again; a second Ctrl-C kills.\n\n"
      "Examples:\n"
      "  weft data pack --help\n"
      "  weft pretrain --data packed --out run\n"
      "  weft pretrain --data packed --out run --total-steps 4000 --branch-decay");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
