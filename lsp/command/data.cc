// `weft data`: makes and describes training data. Main thread.
#include <memory>
#include <string>

#include <fmt/format.h>

#include "adapters/data/pack.h"
#include "lsp/command/command.h"
#include "lsp/command/data.h"
#include "lsp/command/interrupt.h"
#include "lsp/command/progress_bar.h"

namespace weft::lsp {
namespace {

using adapters::PackedPart;
using adapters::PackOptions;
using adapters::PackProgress;
using adapters::PackReport;

struct Settings {
  PackOptions options;
  bool json = false;
};

void show(ProgressBar& bar, const PackProgress& progress) {
  const double fraction =
      progress.all == 0 ? 0 : static_cast<double>(progress.done) / static_cast<double>(progress.all);
  bar.show(fraction, fmt::format("{} {}/{}", progress.stage, progress.done, progress.all));
}

void print_part(const char* name, const PackedPart& part) {
  fmt::print("{}: {} documents, {} tokens, {} bytes, from {} files\n", name, part.documents, part.tokens,
             part.collected.bytes, part.collected.files);
  for (const auto& [name, of] : part.languages) {
    fmt::print("  {}: {} documents, {} tokens, {} bytes\n", name, of.documents, of.tokens, of.bytes);
  }
  for (const auto& [reason, count] : part.collected.dropped) fmt::print("  dropped, {}: {}\n", reason, count);
  if (part.collected.masked > 0) fmt::print("  pieces masked as keys: {}\n", part.collected.masked);
}

void print_report(const PackReport& report, const std::string& out) {
  print_part("train", report.train);
  print_part("valid", report.valid);
  fmt::print("tokenizer: {} tokens, sha256 {}\npacked: {}\n", report.vocabulary, report.tokenizer_sha256, out);
}

int run_pack(const Settings& settings) {
  const CancelFlag cancel = cancel_on_interrupt();
  const SteadyClock clock;
  auto bar = std::make_unique<ProgressBar>(clock);
  const auto report = adapters::pack(
      settings.options, [&bar](const PackProgress& progress) { show(*bar, progress); }, cancel);
  bar.reset();
  if (!report) {
    fmt::print(stderr, "weft data pack: {}\n", report.error().message);
    return 1;
  }
  if (settings.json) {
    fmt::print("{}", adapters::manifest_of(*report));
  } else {
    print_report(*report, settings.options.out);
  }
  return 0;
}

void add_pack_options(CLI::App& app, PackOptions& options) {
  app.add_option("SOURCE", options.sources, "folders of code")
      ->required()
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  app.add_option("--out", options.out, "where the packed data goes; what an earlier run left there is replaced")
      ->required()
      ->type_name("DIR");
  app.add_option("--held-out", options.held_out,
                 "folder of documents to validate on; near duplicates leave training; repeatable")
      ->type_name("DIR")
      ->allow_extra_args(false)
      ->check(CLI::ExistingDirectory);
  app.add_option("--held-out-name", options.collect.held_out_names, "a file name to drop wherever it lies; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--vocabulary", options.vocabulary, "size of the tokenizer that is trained")
      ->check(CLI::Range(300, 65536))
      ->capture_default_str();
  app.add_option("--tokenizer", options.tokenizer, "tokenizer.model to use instead of training one")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  app.add_option("--extension", options.collect.extensions, "ending of the files to take; repeatable")
      ->type_name("EXT")
      ->allow_extra_args(false)
      ->capture_default_str();
  app.add_option("--assume-licence", options.collect.assumed_licence,
                 "SPDX name for files that neither a LICENSE file, licences.json nor their header speaks of")
      ->type_name("NAME");
  app.add_option("--seed", options.seed, "seed of the tokenizer's sample")->capture_default_str();
  app.add_option("--threads", options.threads, "threads")->check(CLI::PositiveNumber)->capture_default_str();
}

}  // namespace

void add_data_command(CLI::App& root, int& exit_code) {
  CLI::App* data = root.add_subcommand("data", "Make training data from folders of code");
  data->require_subcommand(1);
  auto settings = std::make_shared<Settings>();
  CLI::App* app = data->add_subcommand("pack", "Clean, filter, deduplicate, tokenise and pack");
  add_pack_options(*app, settings->options);
  app->add_flag("--json", settings->json, "print the manifest as JSON");
  app->footer(
      "Kept: clean sources under permissive licences. Dropped: secret files, near duplicates, generated and minified\n"
      "files, exercises of coding benchmarks, and what has no known licence. Text that looks like a key is masked. A "
      "file licences.json in SOURCE "
      "maps\n"
      "its folders to SPDX names. Ctrl-C leaves nothing behind.\n\n"
      "Examples:\n"
      "  weft data pack src --assume-licence MIT --out packed\n"
      "  weft data pack corpus/train --held-out corpus/heldout --held-out-name textwrap.py --out packed\n"
      "  weft data pack more --tokenizer packed/tokenizer.model --out packed-more --json");
  app->callback([settings, &exit_code] { exit_code = run_pack(*settings); });
  add_data_extract_command(*data, exit_code);
  add_data_lessons_command(*data, exit_code);
  add_data_inspect_command(*data, exit_code);
}

}  // namespace weft::lsp
