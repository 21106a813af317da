#include "lsp/command/bench.h"

#include "lsp/command/command.h"

namespace weft::lsp {

void add_bench_command(CLI::App& root, int& exit_code) {
  CLI::App* group = root.add_subcommand("bench", "Measure this machine");
  group->require_subcommand(1);
  add_bench_typing_command(*group, exit_code);
  add_bench_model_command(*group, exit_code);
  add_bench_engine_command(*group, exit_code);
  add_bench_training_command(*group, exit_code);
  add_bench_worker_command(*group, exit_code);
}

}  // namespace weft::lsp
