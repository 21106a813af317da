// `weft bench typing`: how long one waits for a completion and how much of the prompt is computed again, at places in a
// file, key by key, and at the first key after coming back from another file. Main thread only.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lsp/command/bench.h"
#include "lsp/command/model_stack.h"
#include "lsp/command/progress_bar.h"
#include "lsp/command/python_sources.h"
#include "lsp/location.h"

namespace weft::lsp {
namespace {

using generation::CompletionResult;

struct Settings {
  ModelOptions model;
  std::string file, other;
  std::size_t places = 20, keys = 60, visits = 12;
  bool json = false;
};

constexpr std::size_t kKeysOfAVisit = 4;

// Nearest rank.
double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

// Numbers of one way of asking; each sample is one request. What an earlier answer already holds costs nothing; the
// requests that the model had to answer are counted apart as well, lest the others hide them.
struct Series {
  std::vector<double> latency_ms, prefilled;
  std::vector<double> computed_latency_ms, computed_prefilled;  // without those answered from the cache
  std::size_t generated_tokens = 0, prompt_tokens = 0, from_cache = 0, answered = 0;

  void add(double ms, const CompletionResult& result) {
    const auto tokens = static_cast<double>(result.timings.prefilled_tokens);
    latency_ms.push_back(ms);
    prefilled.push_back(tokens);
    if (!result.timings.from_cache) {
      computed_latency_ms.push_back(ms);
      computed_prefilled.push_back(tokens);
    }
    generated_tokens += result.timings.generated_tokens;
    prompt_tokens += result.timings.prompt_tokens;
    from_cache += result.timings.from_cache ? 1 : 0;
    answered += result.items.empty() ? 0 : 1;
  }
  [[nodiscard]] double mean(double sum) const {
    return latency_ms.empty() ? 0 : sum / static_cast<double>(latency_ms.size());
  }
  [[nodiscard]] double mean_prefilled() const { return mean(std::accumulate(prefilled.begin(), prefilled.end(), 0.0)); }
};

nlohmann::json to_json(const Series& series) {
  return {{"requests", series.latency_ms.size()},
          {"p50_ms", percentile(series.latency_ms, 0.5)},
          {"p95_ms", percentile(series.latency_ms, 0.95)},
          {"max_ms", percentile(series.latency_ms, 1)},
          {"prefilled_tokens_p50", percentile(series.prefilled, 0.5)},
          {"prefilled_tokens_p95", percentile(series.prefilled, 0.95)},
          {"prefilled_tokens_mean", series.mean_prefilled()},
          {"computed",
           {{"requests", series.computed_latency_ms.size()},
            {"p50_ms", percentile(series.computed_latency_ms, 0.5)},
            {"prefilled_tokens_p50", percentile(series.computed_prefilled, 0.5)}}},
          {"prompt_tokens_mean", series.mean(static_cast<double>(series.prompt_tokens))},
          {"generated_tokens_mean", series.mean(static_cast<double>(series.generated_tokens))},
          {"from_cache", series.from_cache},
          {"answered", series.answered}};
}

void print_series(std::string_view name, const Series& series) {
  fmt::print(
      "{:<9} {:>4} requests  p50 {:6.1f} ms  p95 {:6.1f} ms  prefilled p50 {:4.0f}, mean {:6.1f} of {:6.1f} tokens  "
      "generated {:5.1f}  answered {}  from cache {}\n",
      name, series.latency_ms.size(), percentile(series.latency_ms, 0.5), percentile(series.latency_ms, 0.95),
      percentile(series.prefilled, 0.5), series.mean_prefilled(),
      series.mean(static_cast<double>(series.prompt_tokens)), series.mean(static_cast<double>(series.generated_tokens)),
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

struct Document {
  std::string path, text;
};

// Takes text out of a file, from the beginning of a line near the middle on, and types it again.
class Typist {
 public:
  Typist(const Document& document, std::size_t keys) : text_(document.text) {
    const auto middle = choose_places(text_, 2);
    const std::size_t line_begin = middle.size() < 2 ? std::string::npos : text_.rfind('\n', middle[1]);
    at_ = line_begin == std::string::npos ? 0 : line_begin + 1;
    end_ = std::min(at_ + keys, text_.size());
    rest_ = text_.substr(std::min(text_.find('\n', end_), text_.size()));
  }
  [[nodiscard]] bool done() const { return at_ >= end_; }
  // One character more; the document is then `text`, and the cursor stands behind what was typed.
  void type() {
    do {
      ++at_;
    } while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xC0U) == 0x80U);
  }
  [[nodiscard]] std::string text() const { return text_.substr(0, at_) + rest_; }
  [[nodiscard]] std::size_t cursor() const { return at_; }

 private:
  std::string text_, rest_;
  std::size_t at_ = 0, end_ = 0;
};

struct Bench {
  ModelStack stack;
  Document file, other;
  std::int64_t version = 0;

  Expected<void> ask(const std::string& path, std::string_view document, std::size_t cursor, Series& series) {
    auto request = automatic_request(path, std::make_shared<const std::string>(document), cursor);
    request.document.version = ++version;
    const TimePoint begin = stack.clock->now();
    const auto result = stack.service->complete_now(std::move(request));
    if (!result) return result.error();
    series.add(milliseconds_between(begin, stack.clock->now()), *result);
    return {};
  }

  // The unchanged file, asked at one place after the other.
  Expected<Series> places(std::size_t count, ProgressBar& bar) {
    Series series;
    const auto chosen = choose_places(file.text, count);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (auto done = ask(file.path, file.text, chosen[i], series); !done) return done.error();
      bar.show(static_cast<double>(i + 1) / static_cast<double>(chosen.size()), "places");
    }
    return series;
  }

  // A character a request.
  Expected<Series> typing(std::size_t keys, ProgressBar& bar) {
    Series series;
    Typist typist(file, keys);
    for (std::size_t key = 1; !typist.done(); ++key) {
      typist.type();
      if (auto done = ask(file.path, typist.text(), typist.cursor(), series); !done) return done.error();
      bar.show(static_cast<double>(key) / static_cast<double>(keys), "typing");
    }
    return series;
  }

  // A few keys in the one file, a few in the other, and back; the first key of each visit but the first two.
  Expected<Series> switching(std::size_t visits, ProgressBar& bar) {
    Series returns, others;
    std::array<Typist, 2> typists{Typist(file, (visits + 2) * kKeysOfAVisit),
                                  Typist(other, (visits + 2) * kKeysOfAVisit)};
    for (std::size_t visit = 0; visit < visits + 2; ++visit) {
      Typist& typist = typists[visit % 2];
      for (std::size_t key = 0; key < kKeysOfAVisit && !typist.done(); ++key) {
        typist.type();
        Series& series = visit >= 2 && key == 0 ? returns : others;
        const std::string& path = visit % 2 == 0 ? file.path : other.path;
        if (auto done = ask(path, typist.text(), typist.cursor(), series); !done) return done.error();
      }
      bar.show(static_cast<double>(visit + 1) / static_cast<double>(visits + 2), "switching");
    }
    return returns;
  }
};

int fail(const Error& error) {
  fmt::print(stderr, "weft bench typing: {}\n", error.message);
  return 1;
}

struct Measured {
  Series places, typing, switching;
};

Expected<Measured> measure(Bench& bench, const Settings& settings) {
  ProgressBar bar(*bench.stack.clock);
  Series warm_up;
  if (auto done = bench.ask(bench.file.path, bench.file.text, 0, warm_up); !done) return done.error();
  auto places = bench.places(settings.places, bar);
  if (!places) return places.error();
  auto typing = bench.typing(settings.keys, bar);
  if (!typing) return typing.error();
  auto switching = bench.switching(settings.visits, bar);
  if (!switching) return switching.error();
  return Measured{*std::move(places), *std::move(typing), *std::move(switching)};
}

void report(const Bench& bench, const Measured& measured, bool json) {
  const model::RunnerInfo& model = bench.stack.runner->info();
  const auto lines = std::count(bench.file.text.begin(), bench.file.text.end(), '\n');
  if (json) {
    const nlohmann::json out = {{"model", model.name},
                                {"dtype", model.dtype},
                                {"file", bench.file.path},
                                {"other", bench.other.path},
                                {"lines", lines},
                                {"load_ms", bench.stack.load_ms},
                                {"places", to_json(measured.places)},
                                {"typing", to_json(measured.typing)},
                                {"switching", to_json(measured.switching)}};
    fmt::print("{}\n", out.dump(2));
    return;
  }
  fmt::print("{}: {} lines, model {}, {}\n", bench.file.path, lines, model.name, model.dtype);
  print_series("places", measured.places);
  print_series("typing", measured.typing);
  print_series("switching", measured.switching);
}

// The files named, the others from the standard library.
Expected<std::array<Document, 2>> documents(const Settings& settings) {
  std::array<Document, 2> out{Document{settings.file, {}}, Document{settings.other, {}}};
  if (settings.file.empty() || settings.other.empty()) {
    const auto found = find_bench_files(out.size());
    if (!found) return found.error();
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (out[i].path.empty()) out[i].path = (*found)[i];
    }
  }
  for (Document& document : out) {
    auto text = read_text_file(document.path);
    if (!text) return text.error();
    document.text = *std::move(text);
  }
  return out;
}

int run(const Settings& settings) {
  auto files = documents(settings);
  if (!files) return fail(files.error());
  auto stack = load_model_stack(settings.model);
  if (!stack) return fail(stack.error());
  Bench bench{*std::move(stack), std::move((*files)[0]), std::move((*files)[1])};
  const auto measured = measure(bench, settings);
  if (!measured) return fail(measured.error());
  report(bench, *measured, settings.json);
  return 0;
}

}  // namespace

void add_bench_typing_command(CLI::App& bench, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = bench.add_subcommand("typing", "Latency of inline completion in a real file, warm");
  app->add_option("--file", settings->file, "Python file (default: one of the standard library, held out of training)")
      ->type_name("FILE");
  app->add_option("--other", settings->other, "the file to switch to (default: another of those)")->type_name("FILE");
  app->add_option("--places", settings->places, "places to ask at")->check(CLI::PositiveNumber)->capture_default_str();
  app->add_option("--keys", settings->keys, "characters to type")->check(CLI::PositiveNumber)->capture_default_str();
  app->add_option("--visits", settings->visits, "returns to a file from the other one")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_model_options(*app, settings->model);
  app->add_flag("--json", settings->json, "print the numbers as JSON");
  app->footer("Example:\n  weft bench typing --places 50 --json");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
