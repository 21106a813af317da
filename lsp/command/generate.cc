// `weft generate DESCRIPTION`: a function from its description, by the daemon's own action. Main thread only.
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adapters/actions/actions.h"
#include "generation/await.h"
#include "generation/completion/prompt.h"
#include "lsp/command/command.h"
#include "lsp/command/model_stack.h"
#include "model/base/utf8.h"

namespace weft::lsp {
namespace {

using adapters::AdapterRegistry;
using adapters::GeneratedFunction;

constexpr const char* kTask = "function-from-comment";
constexpr std::size_t kMostDescriptionBytes = 8192;

struct Settings {
  std::string description, language = "python", adapter;
  ModelOptions model;
  bool no_adapter = false;
  std::size_t beams = 4;
  bool json = false;
};

struct Generated {
  std::vector<GeneratedFunction> candidates;
  std::string model, adapter;  // adapter empty: the base alone
  double load_ms = 0, adapter_ms = 0, generate_ms = 0;
};

int fail(int exit_code, const Error& error) {
  fmt::print(stderr, "weft generate: {}\n", error.message);
  return exit_code;
}

Expected<std::string> read_description(const std::string& argument) {
  std::string text = argument;
  if (text == "-") {
    text.resize(kMostDescriptionBytes + 1);
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::cin.gcount()));
  }
  if (text.size() > kMostDescriptionBytes) {
    return make_error("the description is longer than {} bytes", kMostDescriptionBytes);
  }
  if (!is_valid_utf8(text)) return make_error("the description is not UTF-8 at byte {}", utf8_valid_prefix(text));
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return make_error("the description is empty");
  return text;
}

Expected<void> check_language(const std::string& name) {
  std::vector<std::string_view> known;
  for (const generation::Language& each : generation::languages()) {
    if (each.grammar == nullptr) continue;
    if (each.name == name) return {};
    known.push_back(each.name);
  }
  return make_error("--language {}: weft generates {}", name, fmt::join(known, ", "));
}

// The adapter that was named, or the one that came with the model; one of those that is broken is only warned of.
Expected<std::string> install(AdapterRegistry& registry, const Settings& settings, const std::string& model_directory) {
  if (settings.no_adapter) return std::string();
  const auto shipped = std::filesystem::path(model_directory) / "adapters" / kTask;
  const bool named = !settings.adapter.empty();
  if (!named && !std::filesystem::is_directory(shipped)) return std::string();
  const auto installed = registry.add_now(named ? settings.adapter : shipped.string());
  if (!installed && named) return installed.error();
  if (!installed) {
    fmt::print(stderr, "weft generate: the model's own adapter is not used: {}\n", installed.error().message);
    return std::string();
  }
  if (installed->info.task != kTask) {
    return make_error("the adapter {} is for '{}', not for {}", installed->info.name, installed->info.task, kTask);
  }
  return installed->info.name;
}

Expected<Generated> generate(const Settings& settings, const std::string& description) {
  const auto stack = load_model_stack(settings.model);
  if (!stack) return stack.error();
  const TimePoint loaded = stack->clock->now();
  const auto registry = std::make_shared<AdapterRegistry>(stack->engine, stack->config,
                                                          [&stack] { return adapters::base_hash(stack->directory); });
  auto adapter = install(*registry, settings, stack->directory);
  if (!adapter) return adapter.error();
  const TimePoint ready = stack->clock->now();
  adapters::ActionOptions options;
  options.beams = settings.beams;
  options.stop_tokens = generation::stop_tokens(stack->config, *stack->tokenizer);
  adapters::ActionService service(stack->engine, registry, std::move(options));
  const generation::DocumentView document{"", settings.language, std::make_shared<const std::string>(), 0};
  auto candidates = generation::await<std::vector<GeneratedFunction>>(*stack->engine, [&](auto done) {
    service.generate_function(document, adapters::place_of_description(description), std::move(done));
  });
  if (!candidates) return candidates.error();
  if (candidates->empty()) return make_error("the model wrote no function");
  return Generated{.candidates = std::move(*candidates),
                   .model = stack->runner->info().name,
                   .adapter = std::move(*adapter),
                   .load_ms = stack->load_ms,
                   .adapter_ms = milliseconds_between(loaded, ready),
                   .generate_ms = milliseconds_between(ready, stack->clock->now())};
}

void print_json(const Generated& generated) {
  nlohmann::json candidates = nlohmann::json::array();
  for (const GeneratedFunction& each : generated.candidates) {
    candidates.push_back({{"code", each.code}, {"score", each.score}, {"parses", each.parses}});
  }
  const nlohmann::json adapter = generated.adapter.empty() ? nlohmann::json() : nlohmann::json(generated.adapter);
  const nlohmann::json out = {
      {"candidates", candidates},
      {"model", generated.model},
      {"adapter", adapter},
      {"timings_ms",
       {{"load", generated.load_ms}, {"adapter", generated.adapter_ms}, {"generate", generated.generate_ms}}}};
  fmt::print("{}\n", out.dump(2));
}

void print_text(const Generated& generated) {
  const GeneratedFunction& best = generated.candidates.front();
  fmt::print("{}\n", best.code);
  fmt::print(stderr, "{} with {}: {:.0f} ms, {} candidates{}\n", generated.model,
             generated.adapter.empty() ? "no adapter" : "adapter " + generated.adapter, generated.generate_ms,
             generated.candidates.size(), best.parses ? "" : "; none of them parses");
}

int run(const Settings& settings) {
  if (const auto known = check_language(settings.language); !known) return fail(2, known.error());
  const auto description = read_description(settings.description);
  if (!description) return fail(2, description.error());
  const auto generated = generate(settings, *description);
  if (!generated) return fail(1, generated.error());
  settings.json ? print_json(*generated) : print_text(*generated);
  return 0;
}

}  // namespace

void add_generate_command(CLI::App& root, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = root.add_subcommand("generate", "Write a function from its description");
  app->add_option("description", settings->description, "what the function does, in any language; - reads stdin")
      ->required()
      ->type_name("DESCRIPTION");
  app->add_option("--language", settings->language, "programming language of the function")->capture_default_str();
  app->add_option("--beam", settings->beams, "lines that the search follows")
      ->check(CLI::Range(1, 8))
      ->capture_default_str();
  CLI::Option* adapter =
      app->add_option("--adapter", settings->adapter, "adapter to use (default: the model's own for this task)")
          ->type_name("DIR");
  app->add_flag("--no-adapter", settings->no_adapter, "use the base model alone")->excludes(adapter);
  add_model_options(*app, settings->model);
  app->add_flag("--json", settings->json, "print all candidates, timings and model as JSON");
  app->footer(
      "Candidates that parse come first, then those the model is surest of; the best one is printed.\n\n"
      "Examples:\n"
      "  weft generate 'add two numbers'\n"
      "  weft generate '一个计算两个数之和的Python函数' --json\n"
      "  echo 'reverse a string' | weft generate - --language python --beam 8");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
