// The subcommands of `weft data`, a file each. Main thread.
#pragma once

#include <CLI/CLI.hpp>

namespace weft::lsp {

// Each adds itself to `data`; when chosen, its callback stores the exit code.
void add_data_extract_command(CLI::App& data, int& exit_code);
void add_data_lessons_command(CLI::App& data, int& exit_code);
void add_data_inspect_command(CLI::App& data, int& exit_code);

}  // namespace weft::lsp
