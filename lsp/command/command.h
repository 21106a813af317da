// The `weft` command: each subcommand is one file that offers one add_… function, listed in main.cc. stdout carries
// results, stderr everything else. Exit codes: 0 done, 1 the work failed, 2 wrong usage.
#pragma once

#include <CLI/CLI.hpp>

namespace weft::lsp {

// Each adds its subcommand to `root`; when chosen, its callback stores the exit code.
void add_complete_command(CLI::App& root, int& exit_code);
void add_generate_command(CLI::App& root, int& exit_code);
void add_adapters_command(CLI::App& root, int& exit_code);
void add_doctor_command(CLI::App& root, int& exit_code);
void add_models_command(CLI::App& root, int& exit_code);
void add_data_command(CLI::App& root, int& exit_code);
void add_pretrain_command(CLI::App& root, int& exit_code);
void add_train_command(CLI::App& root, int& exit_code);
void add_eval_command(CLI::App& root, int& exit_code);
void add_eval_task_commands(CLI::App& group, int& exit_code);   // below `weft eval`
void add_eval_memory_command(CLI::App& group, int& exit_code);  // there too
void add_bench_command(CLI::App& root, int& exit_code);

}  // namespace weft::lsp
