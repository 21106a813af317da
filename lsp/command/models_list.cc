// `weft models list`: the models that are on this disk already, and which of them weft can run. Main thread.
#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lsp/command/models.h"
#include "model/find_models.h"
#include "model/inspect.h"

namespace weft::lsp {
namespace {

struct Settings {
  std::vector<std::string> folders;
  bool json = false;
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

nlohmann::json to_json(const model::FoundModel& found, const model::ModelReport& report) {
  return {{"path", found.path},
          {"name", found.name},
          {"family", report.family},
          {"parameters", report.parameters},
          {"quantization", report.quantization},
          {"bytes", report.bytes},
          {"runs", report.refusal.empty()},
          {"why_not", report.refusal}};
}

void print(const model::FoundModel& found, const model::ModelReport& report) {
  fmt::print("{}\n  {}\n", found.name, found.path);
  if (!report.family.empty()) {
    fmt::print("  {}, {} parameters, {}{}\n", report.family, format_parameters(report.parameters),
               format_bytes(report.bytes), report.quantization == "none" ? "" : ", " + report.quantization);
  }
  if (!report.refusal.empty()) fmt::print("  weft cannot run it: {}\n", report.refusal);
}

int run(const Settings& settings) {
  std::vector<model::ModelPlace> places;
  for (const std::string& folder : settings.folders) places.push_back({model::PlaceKind::kFolder, folder});
  if (places.empty()) places = model::model_places(variable);
  nlohmann::json all = nlohmann::json::array();
  const auto models = model::find_models(places);
  for (const model::FoundModel& found : models) {
    const model::ModelReport report = model::inspect(found.path);
    if (settings.json) {
      all.push_back(to_json(found, report));
    } else {
      print(found, report);
    }
  }
  if (settings.json) {
    // A path need not be UTF-8.
    fmt::print("{}\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else if (models.empty()) {
    fmt::print("no models in:\n");
    for (const model::ModelPlace& place : places) fmt::print("  {}\n", place.path);
  }
  return 0;
}

}  // namespace

void add_models_list_command(CLI::App& models, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = models.add_subcommand("list", "Find the models on this disk and say which of them weft can run");
  app->add_option("DIR", settings->folders, "look here instead")->check(CLI::ExistingDirectory);
  app->add_flag("--json", settings->json, "print the list as JSON");
  app->footer(
      "Looks in the folders that $WEFT_MODELS names (with ':' between them), in the caches of Hugging Face\n"
      "($HF_HUB_CACHE, $HF_HOME), llama.cpp, LM Studio and ollama, and in ~/models.\n\n"
      "Examples:\n"
      "  weft models list\n"
      "  weft models list ~/checkpoints --json");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
