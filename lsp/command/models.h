// The subcommands of `weft models`, a file each, and how they write numbers. Main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

namespace weft::lsp {

// Each adds itself to `models`; when chosen, its callback stores the exit code.
void add_models_list_command(CLI::App& models, int& exit_code);
void add_models_inspect_command(CLI::App& models, int& exit_code);
void add_models_quantize_command(CLI::App& models, int& exit_code);

std::string format_bytes(std::uint64_t bytes);       // "988 MB", "3.1 GB"
std::string format_parameters(std::uint64_t count);  // "494 M", "1.5 B"

}  // namespace weft::lsp
