// `weft bench typing`: how long one waits for a completion, at places in a file and key by key. Main thread only.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lsp/command/command.h"
#include "lsp/command/model_stack.h"
#include "lsp/command/progress_bar.h"
#include "lsp/command/python_sources.h"
#include "lsp/location.h"

namespace weft::lsp {
namespace {

using generation::CompletionResult;

struct Settings {
  std::string model, file;
  std::size_t places = 20, keys = 60;
  int threads = 0, tensor_parallel = 1;
  bool json = false;
};

// Numbers of one way of asking; each sample is one request.
struct Series {
  std::vector<double> latency_ms;
  std::size_t prefilled_tokens = 0, generated_tokens = 0, prompt_tokens = 0, from_cache = 0, answered = 0;

  void add(double ms, const CompletionResult& result) {
    latency_ms.push_back(ms);
    prefilled_tokens += result.timings.prefilled_tokens;
    generated_tokens += result.timings.generated_tokens;
    prompt_tokens += result.timings.prompt_tokens;
    from_cache += result.timings.from_cache ? 1 : 0;
    answered += result.items.empty() ? 0 : 1;
  }
  // Nearest rank.
  [[nodiscard]] double percentile(double share) const {
    if (latency_ms.empty()) return 0;
    std::vector<double> sorted = latency_ms;
    std::sort(sorted.begin(), sorted.end());
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return sorted[std::max<std::size_t>(rank, 1) - 1];
  }
  [[nodiscard]] double mean(std::size_t sum) const {
    return latency_ms.empty() ? 0 : static_cast<double>(sum) / static_cast<double>(latency_ms.size());
  }
};

nlohmann::json to_json(const Series& series) {
  return {{"requests", series.latency_ms.size()},
          {"p50_ms", series.percentile(0.5)},
          {"p95_ms", series.percentile(0.95)},
          {"max_ms", series.percentile(1)},
          {"prompt_tokens_mean", series.mean(series.prompt_tokens)},
          {"prefilled_tokens_mean", series.mean(series.prefilled_tokens)},
          {"generated_tokens_mean", series.mean(series.generated_tokens)},
          {"from_cache", series.from_cache},
          {"answered", series.answered}};
}

void print_series(std::string_view name, const Series& series) {
  fmt::print(
      "{:<8} {:>4} requests  p50 {:6.1f} ms  p95 {:6.1f} ms  prefilled {:6.1f} of {:6.1f} tokens  generated "
      "{:5.1f}  answered {}  from cache {}\n",
      name, series.latency_ms.size(), series.percentile(0.5), series.percentile(0.95),
      series.mean(series.prefilled_tokens), series.mean(series.prompt_tokens), series.mean(series.generated_tokens),
      series.answered, series.from_cache);
}

// The ends of half-typed lines, spread evenly: after the indentation and half of the characters.
std::vector<std::size_t> choose_places(std::string_view text, std::size_t count) {
  std::vector<std::size_t> candidates;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::size_t first = text.find_first_not_of(" \t", begin);
    if (first < end && end - first >= 12 && text[first] != '#') {
      std::size_t place = first + (end - first) / 2;
      while (place > first && (static_cast<unsigned char>(text[place]) & 0xC0U) == 0x80U) --place;
      candidates.push_back(place);
    }
    begin = end + 1;
  }
  std::vector<std::size_t> chosen;
  const std::size_t wanted = std::min(count, candidates.size());
  for (std::size_t i = 0; i < wanted; ++i) chosen.push_back(candidates[i * candidates.size() / wanted]);
  return chosen;
}

struct Bench {
  ModelStack stack;
  std::string path;
  std::string text;

  Expected<void> ask(std::string_view document, std::size_t cursor, std::int64_t version, Series& series) {
    auto request = automatic_request(path, std::make_shared<const std::string>(document), cursor);
    request.document.version = version;
    const TimePoint begin = stack.clock->now();
    const auto result = stack.service->complete_now(std::move(request));
    if (!result) return result.error();
    series.add(milliseconds_between(begin, stack.clock->now()), *result);
    return {};
  }

  // The unchanged file, asked at one place after the other.
  Expected<Series> places(std::size_t count, ProgressBar& bar) {
    Series series;
    const auto chosen = choose_places(text, count);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (auto done = ask(text, chosen[i], 1, series); !done) return done.error();
      bar.show(static_cast<double>(i + 1) / static_cast<double>(chosen.size()), "places");
    }
    return series;
  }

  // The text from the middle of the file on is taken out and typed again, a character a request.
  Expected<Series> typing(std::size_t keys, ProgressBar& bar) {
    Series series;
    const auto middle = choose_places(text, 2);
    std::size_t begin = middle.size() < 2 ? 0 : middle[1];
    const std::size_t line_begin = text.rfind('\n', begin);
    begin = line_begin == std::string::npos ? 0 : line_begin + 1;
    const std::size_t end = std::min(begin + keys, text.size());
    const std::string rest = text.substr(std::min(text.find('\n', end), text.size()));
    for (std::size_t i = begin + 1; i <= end; ++i) {
      if (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) continue;
      const auto version = static_cast<std::int64_t>(i);
      if (auto done = ask(text.substr(0, i) + rest, i, version, series); !done) return done.error();
      bar.show(static_cast<double>(i - begin) / static_cast<double>(end - begin), "typing");
    }
    return series;
  }
};

int fail(const Error& error) {
  fmt::print(stderr, "weft bench typing: {}\n", error.message);
  return 1;
}

void report(const Bench& bench, const Series& places, const Series& typing, bool json) {
  const auto lines = std::count(bench.text.begin(), bench.text.end(), '\n');
  if (json) {
    const nlohmann::json out = {
        {"model", bench.stack.runner->info().name}, {"file", bench.path},        {"lines", lines},
        {"load_ms", bench.stack.load_ms},           {"places", to_json(places)}, {"typing", to_json(typing)}};
    fmt::print("{}\n", out.dump(2));
    return;
  }
  fmt::print("{}: {} lines, model {}\n", bench.path, lines, bench.stack.runner->info().name);
  print_series("places", places);
  print_series("typing", typing);
}

int run(const Settings& settings) {
  const auto path = settings.file.empty() ? find_bench_file() : Expected<std::string>(settings.file);
  if (!path) return fail(path.error());
  auto text = read_text_file(*path);
  if (!text) return fail(text.error());
  auto stack = load_model_stack({.model = settings.model,
                                 .threads = settings.threads,
                                 .tensor_parallel = settings.tensor_parallel,
                                 .completion = {}});
  if (!stack) return fail(stack.error());
  Bench bench{std::move(*stack), *path, std::move(*text)};
  auto bar = std::make_unique<ProgressBar>(*bench.stack.clock);
  Series warm_up;
  if (auto done = bench.ask(bench.text, 0, 0, warm_up); !done) return fail(done.error());
  const auto places = bench.places(settings.places, *bar);
  if (!places) return fail(places.error());
  const auto typing = bench.typing(settings.keys, *bar);
  bar.reset();
  if (!typing) return fail(typing.error());
  report(bench, *places, *typing, settings.json);
  return 0;
}

void add_typing(CLI::App& group, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = group.add_subcommand("typing", "Latency of inline completion in a real file, warm");
  app->add_option("--model", settings->model, "model directory")->type_name("DIR");
  app->add_option("--file", settings->file, "Python file (default: one of the standard library, held out of training)")
      ->type_name("FILE");
  app->add_option("--places", settings->places, "places to ask at")->check(CLI::PositiveNumber)->capture_default_str();
  app->add_option("--keys", settings->keys, "characters to type")->check(CLI::PositiveNumber)->capture_default_str();
  app->add_option("--threads", settings->threads, "compute threads; 0: as many as pay")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_tensor_parallel(*app, settings->tensor_parallel);
  app->add_flag("--json", settings->json, "print the numbers as JSON");
  app->footer("Example:\n  weft bench typing --places 50 --json");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace

void add_bench_command(CLI::App& root, int& exit_code) {
  CLI::App* group = root.add_subcommand("bench", "Measure this machine");
  group->require_subcommand(1);
  add_typing(*group, exit_code);
}

}  // namespace weft::lsp
