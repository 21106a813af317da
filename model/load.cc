// Loading a model directory. Any thread; torch's exceptions end here and become errors.
#include <array>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "model/config/shard_plan.h"
#include "model/group_runner.h"
#include "model/layers/transformer.h"
#include "model/load_runner.h"
#include "model/model_files.h"
#include "model/runner.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;

// Rank 0 of a group: it has the others load the same directory.
Expected<std::unique_ptr<ModelRunner>> load_group(const ModelConfig& config, const LoadOptions& options) {
  const auto plan = ShardPlan::make(options.tensor_parallel, sharded_sizes(config));
  if (!plan) return make_error("{}: {}", options.directory, plan.error().message);
  GroupRunnerOptions group;
  group.group.size = options.tensor_parallel;
  group.start = {fs::absolute(options.directory).string(), options.dtype,
                 decide_threads(options.threads, config.parameters(), options.tensor_parallel)};
  group.own = [config, options](std::shared_ptr<Communicator> communicator) {
    return load_runner(config, options, std::move(communicator));
  };
  return GroupRunner::start(std::move(group));
}

}  // namespace

Expected<LoadedModel> load_model(const LoadOptions& options) {
  try {
    auto files = read_model_files(options.directory);
    if (!files) return files.error();
    const ModelConfig& config = files->config;
    auto runner = options.tensor_parallel == 1 ? load_runner(config, options, std::make_shared<SoloCommunicator>())
                                               : load_group(config, options);
    if (!runner) return runner.error();
    if (options.progress) options.progress(1);
    return LoadedModel{std::move(files->config), std::move(files->tokenizer), *std::move(runner)};
  } catch (const std::exception& failure) {
    return make_error("{}: {}", options.directory, failure.what());
  }
}

Expected<std::string> find_model_directory(const std::string& requested) {
  const auto checked = [](const fs::path& directory, std::string_view origin) -> Expected<std::string> {
    if (looks_like_model(directory.string())) return directory.string();
    return make_error("no model in {} ({}): it has no config.json and is no GGUF file", directory.string(), origin);
  };
  if (!requested.empty()) return checked(requested, "given by --model");
  if (const char* named = std::getenv("WEFT_MODEL"); named != nullptr && *named != '\0') {
    return checked(named, "given by WEFT_MODEL");
  }
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  // Installed: PREFIX/bin/weftd and PREFIX/share/weft; built: build/PRESET/bin/weftd in a checkout.
  const std::array<fs::path, 2> places{program.parent_path() / "../share/weft/model/default",
                                       program.parent_path() / "../../../model/default"};
  for (const fs::path& place : places) {
    if (fs::exists(place / "config.json", failed)) return fs::weakly_canonical(place).string();
  }
  return make_error("no model found: looked in {} and {}; name one with --model or WEFT_MODEL",
                    places[0].lexically_normal().string(), places[1].lexically_normal().string());
}

}  // namespace weft::model
