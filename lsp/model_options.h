// Which model to run and how: the command line of weftd and of every command that runs one. Main thread.
#pragma once

#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include "generation/completion/completion.h"
#include "model/base/expected.h"
#include "model/runner.h"

namespace weft::lsp {

struct ModelOptions {
  std::string model{};  // empty: where find_model_directory looks
  model::DType weights = model::DType::kAuto;
  int threads = 0;  // 0: as many as pay
  int tensor_parallel = 1;
};

// By the names that the command lines have for them.
[[nodiscard]] const std::map<std::string, generation::MemoryReach>& memory_reaches();

void add_model_options(CLI::App& app, ModelOptions& options);

// Of the model in `directory`.
model::LoadOptions load_options(const ModelOptions& options, std::string directory);

// Gives the options the memory weights that lie beside the model, if any do. Error: they cannot be read.
Expected<void> add_memory_weights(generation::CompletionOptions& options, const std::string& model_directory);
// The calibration, likewise.
Expected<void> add_calibration(generation::CompletionOptions& options, const std::string& model_directory);
// Of this process: where a user's caches lie, and which Python is theirs.
[[nodiscard]] generation::EnvironmentOptions environment_options();

}  // namespace weft::lsp
