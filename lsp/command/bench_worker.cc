// `weft bench worker`: the model's runner alone, asked line by line, for comparisons with other engines: one JSON
// object a line on stdin, each answered with one on stdout. Main thread only.
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lsp/command/bench.h"
#include "lsp/command/bench_steps.h"
#include "lsp/command/model_stack.h"

namespace weft::lsp {
namespace {

using nlohmann::json;

// 0 where it is missing or not a number, which the runner then refuses as a step of nothing.
std::int64_t count(const json& request, const char* field) {
  constexpr std::int64_t kMost = 1 << 20;
  const auto found = request.find(field);
  if (found == request.end() || !found->is_number_integer()) return 0;
  return std::clamp<std::int64_t>(found->get<std::int64_t>(), 0, kMost);
}

Expected<json> timed(TimedSteps& steps, const json& request) {
  const auto named = request.find("op");
  const std::string op = named != request.end() && named->is_string() ? named->get<std::string>() : "";
  const auto answer = [&](const auto& seconds) -> Expected<json> {
    if (!seconds) return seconds.error();
    return json{{"s", *seconds}, {"argmax", steps.argmax()}};
  };
  if (op == "prefill") return answer(steps.prefill(count(request, "n")));
  if (op == "decode") return answer(steps.decode(count(request, "ctx"), count(request, "new")));
  if (op == "keystroke") {
    return answer(steps.keystrokes(count(request, "ctx"), count(request, "add"), count(request, "count")));
  }
  return make_error("op is '{}', known are prefill, decode, keystroke", op);
}

int run(const ModelOptions& options) {
  auto stack = load_model_stack(options);
  if (!stack) {
    fmt::print(stderr, "weft bench worker: {}\n", stack.error().message);
    return 1;
  }
  const model::RunnerInfo& info = stack->runner->info();
  const json sizes = {{"weight_bytes", info.weight_bytes}, {"kv_bytes_per_token", info.kv_bytes_per_token}};
  std::cout << json{{"info", sizes}}.dump() << std::endl;
  TimedSteps steps(*stack->runner, *stack->clock);
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line, nullptr, /*allow_exceptions=*/false);
    const auto answer = request.is_object() ? timed(steps, request) : Expected<json>(Error{"not a JSON object"});
    std::cout << (answer ? *answer : json{{"error", answer.error().message}}).dump() << std::endl;
  }
  return 0;
}

}  // namespace

void add_bench_worker_command(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<ModelOptions>();
  CLI::App* app = bench.add_subcommand("worker", "Answer timing requests, one JSON object a line on stdin");
  add_model_options(*app, *options);
  app->footer(
      "Example:\n  echo '{\"op\": \"prefill\", \"n\": 512}' | weft bench worker --model ./my-model --weights int8 "
      "--threads 2");
  app->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace weft::lsp
