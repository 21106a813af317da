// `weft complete FILE:LINE:COL`: what an editor would be offered there, by the daemon's own pipeline. Main thread only.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lsp/command/command.h"
#include "lsp/command/model_stack.h"
#include "lsp/location.h"

namespace weft::lsp {
namespace {

using generation::CompletionResult;

constexpr int kContextLines = 3;

struct Settings {
  std::string location;
  ModelOptions model;
  bool json = false;
};

void print_json(const CompletionResult& result, double load_ms) {
  nlohmann::json items = nlohmann::json::array();
  for (const auto& item : result.items) items.push_back({{"text", item.text}, {"score", item.score}});
  nlohmann::json timings = to_json(result.timings);
  timings["load"] = load_ms;
  nlohmann::json out = {{"items", items},
                        {"timings_ms", timings},
                        {"model", result.model},
                        {"tokens",
                         {{"prompt", result.timings.prompt_tokens},
                          {"prefilled", result.timings.prefilled_tokens},
                          {"generated", result.timings.generated_tokens}}}};
  if (!result.reason.empty()) out["reason"] = result.reason;
  fmt::print("{}\n", out.dump(2));
}

// The cursor's line up to the cursor, and the few lines above it.
std::string_view context_before(std::string_view text, std::size_t offset) {
  std::size_t begin = offset;
  for (int i = 0; i <= kContextLines && begin > 0; ++i) {
    const std::size_t end = text.rfind('\n', begin - 1);
    if (end == std::string_view::npos) return text.substr(0, offset);
    begin = end;
  }
  return text.substr(begin + (begin < offset ? 1 : 0), offset - begin - (begin < offset ? 1 : 0));
}

void print_text(const CompletionResult& result, const LocatedText& located) {
  if (result.items.empty()) {
    fmt::print("nothing to offer{}{}\n", result.reason.empty() ? "" : ": ", result.reason);
  } else {
    const std::string_view text = *located.text;
    fmt::print("{}\u2038{}\n", context_before(text, located.offset), result.items.front().text);
    for (std::size_t i = 1; i < result.items.size(); ++i) fmt::print("or: {}\n", result.items[i].text);
  }
  fmt::print(stderr, "{}: {:.0f} ms (prefill {:.0f}, decode {:.0f}), {} prompt tokens, {} generated\n", result.model,
             result.timings.total_ms, result.timings.prefill_ms, result.timings.decode_ms, result.timings.prompt_tokens,
             result.timings.generated_tokens);
}

int fail(int exit_code, const Error& error) {
  fmt::print(stderr, "weft complete: {}\n", error.message);
  return exit_code;
}

int run(const Settings& settings) {
  const auto location = parse_location(settings.location);
  if (!location) return fail(2, location.error());
  const auto located = read_location(*location);
  if (!located) return fail(1, located.error());
  auto stack = load_model_stack(settings.model);
  if (!stack) return fail(1, stack.error());
  // An editor names files by absolute path, and the prompt may hold the name: so does this.
  const std::string path = std::filesystem::absolute(location->path).lexically_normal().string();
  const auto result = stack->service->complete_now(automatic_request(path, located->text, located->offset));
  if (!result) return fail(1, result.error());
  if (settings.json) {
    print_json(*result, stack->load_ms);
  } else {
    print_text(*result, *located);
  }
  return 0;
}

}  // namespace

void add_complete_command(CLI::App& root, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = root.add_subcommand("complete", "Print what an editor would be offered at a place");
  app->add_option("location", settings->location, "line and column from 1, columns in characters")
      ->required()
      ->type_name("FILE:LINE:COL");
  add_model_options(*app, settings->model);
  app->add_flag("--json", settings->json, "print items, timings and model as JSON");
  app->footer(
      "The place is marked \u2038 and the offered text follows it.\n\n"
      "Examples:\n"
      "  weft complete app.py:12:9\n"
      "  weft complete app.py:12:9 --json --model ./my-model");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
