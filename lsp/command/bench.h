// The subcommands of `weft bench`, a file each. Main thread.
#pragma once

#include <CLI/CLI.hpp>

namespace weft::lsp {

// Each adds itself to `bench`; when chosen, its callback stores the exit code.
void add_bench_typing_command(CLI::App& bench, int& exit_code);
void add_bench_model_command(CLI::App& bench, int& exit_code);
void add_bench_engine_command(CLI::App& bench, int& exit_code);
void add_bench_training_command(CLI::App& bench, int& exit_code);
void add_bench_worker_command(CLI::App& bench, int& exit_code);

}  // namespace weft::lsp
