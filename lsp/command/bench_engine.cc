// `weft bench engine`: what the engine makes of one model: sequences that share steps, a few tokens behind many cached
// ones, beams, guesses, adapters. What is compared takes turns within a round, since a machine's speed changes; medians
// of rounds. Main thread only.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "lsp/command/bench.h"
#include "lsp/command/bench_speculation.h"
#include "lsp/command/engine_runs.h"
#include "lsp/command/interrupt.h"
#include "lsp/command/progress_bar.h"
#include "lsp/command/statistics.h"
#include "model/ceilings.h"

namespace weft::lsp {
namespace {

using generation::EngineOptions;
using generation::GenerationRequest;
using generation::GenerationResult;
using nlohmann::json;

struct Settings {
  ModelOptions model;
  int rounds = 3;
  bool adapters = true, json = false;
};

constexpr std::array<std::size_t, 5> kBatches{1, 4, 8, 16, 64};
constexpr std::size_t kMostSequences = kBatches.back();
constexpr std::size_t kBatchPrompt = 32, kBatchSteps = 16;  // tokens of each sequence
constexpr std::size_t kBeams = 6, kBeamPrompt = 448, kBeamSteps = 24;
constexpr std::int64_t kRank = 16;
constexpr std::size_t kSharedAdapters = 4;
constexpr double kProbeSeconds = 0.3;

EngineOptions wide() {
  EngineOptions options;
  options.sequences_per_step = kMostSequences;
  options.queue_limit = kMostSequences;
  options.tokens_per_step = kMostSequences * kBatchPrompt;  // so that all begin to generate in one step
  return options;
}

class Bench {
 public:
  Bench(const ModelStack& stack, const Settings& settings, const CancelFlag& cancel)
      : stack_(stack), settings_(settings), cancel_(cancel), bar_(*stack.clock) {}

  Expected<json> run() {
    const model::RunnerInfo& info = stack_.runner->info();
    json out = {{"model", info.name}, {"dtype", info.dtype}, {"rounds", settings_.rounds}};
    for (const auto& [name, measure] : kMeasures) {
      if (cancel_.cancelled()) return make_error("interrupted");
      bar_.show(0, name);
      auto measured = (this->*measure)();
      if (!measured) return make_error("{}: {}", name, measured.error().message);
      out[name] = *std::move(measured);
    }
    return out;
  }

 private:
  using Measure = Expected<json> (Bench::*)();

  // Milliseconds of one step of `sequences` that all generate, a token each.
  Expected<double> step_ms(EngineRuns& engine, std::size_t sequences, const std::vector<AdapterId>& adapters) {
    std::vector<GenerationRequest> requests;
    for (std::size_t i = 0; i < sequences; ++i) {
      GenerationRequest& request = requests.emplace_back(engine.request(i * 1000, kBatchPrompt, kBatchSteps));
      if (!adapters.empty()) request.adapter = adapters[i % adapters.size()];
    }
    const auto results = engine.run(std::move(requests));
    if (!results) return results.error();
    double longest_ms = 0;
    for (const GenerationResult& result : *results) longest_ms = std::max(longest_ms, result.timings.decode_ms);
    return longest_ms / static_cast<double>(kBatchSteps - 1);
  }

  Expected<json> batches() {
    EngineRuns engine(stack_, wide());
    std::array<std::vector<double>, kBatches.size()> times;
    for (int round = 0; round < settings_.rounds; ++round) {
      for (std::size_t i = 0; i < kBatches.size(); ++i) {
        const auto ms = step_ms(engine, kBatches[i], {});
        if (!ms) return ms.error();
        times[i].push_back(*ms);
      }
    }
    json out = json::array();
    for (std::size_t i = 0; i < kBatches.size(); ++i) {
      const double ms = median(times[i]);
      out.push_back({{"sequences", kBatches[i]},
                     {"step_ms", ms},
                     {"tokens_per_s", static_cast<double>(kBatches[i]) * 1000 / ms}});
    }
    return out;
  }

  // A key: a prompt that goes on where the same session's last one ended.
  Expected<json> keys() {
    json out = json::array();
    for (const std::size_t cached : {512U, 2048U}) {
      for (const std::size_t added : {1U, 4U, 8U, 16U}) {
        const auto times = static_cast<std::size_t>(settings_.rounds) * 3;
        if (cached + added * times + 1 > stack_.runner->info().max_positions) continue;
        EngineRuns engine(stack_, {});
        std::vector<double> ms, prefilled;
        for (std::size_t i = 0; i <= times; ++i) {
          GenerationRequest request = engine.request(0, cached + added * i, 1);
          request.session = "key";
          std::vector<GenerationRequest> one;
          one.push_back(std::move(request));
          const auto results = engine.run(std::move(one));
          if (!results) return results.error();
          if (i == 0) continue;
          ms.push_back(results->front().timings.prefill_ms);
          prefilled.push_back(static_cast<double>(results->front().timings.prefilled_tokens));
        }
        out.push_back({{"cached", cached},
                       {"added", added},
                       {"prefilled_p50", median(prefilled)},
                       {"p50_ms", median(ms)},
                       {"least_ms", *std::ranges::min_element(ms)}});
      }
    }
    return out;
  }

  // The whole answer behind a cached prompt, greedy and by beam search, of equal length.
  Expected<json> beams() {
    EngineRuns engine(stack_, {});
    const auto answer_ms = [&](std::size_t beams) -> Expected<double> {
      GenerationRequest request = engine.request(0, kBeamPrompt, 0);
      request.max_new_tokens = kBeamSteps;
      request.beams = beams;
      request.session = "beams";
      std::vector<GenerationRequest> one;
      one.push_back(std::move(request));
      const auto results = engine.run(std::move(one));
      if (!results) return results.error();
      return results->front().timings.prefill_ms + results->front().timings.decode_ms;
    };
    if (const auto warm = answer_ms(1); !warm) return warm.error();
    std::vector<double> greedy, searched, ratios;
    for (int round = 0; round < settings_.rounds; ++round) {
      const auto one = answer_ms(1);
      if (!one) return one.error();
      const auto six = answer_ms(kBeams);
      if (!six) return six.error();
      greedy.push_back(*one);
      searched.push_back(*six);
      ratios.push_back(*six / *one);
    }
    return json{{"beams", kBeams},
                {"new_tokens", kBeamSteps},
                {"greedy_ms", median(greedy)},
                {"beam_ms", median(searched)},
                {"times_greedy", median(ratios)}};
  }

  // A step of 64 sequences with no adapter, with a few that many share, with one for each.
  Expected<json> adapters() {
    if (!settings_.adapters) return json();
    EngineRuns engine(stack_, wide());
    std::vector<AdapterId> each;
    double bytes = 0;
    for (std::size_t i = 0; i < kMostSequences; ++i) {
      model::LoraAdapter adapter = made_up_adapter(stack_.config, kRank, static_cast<std::uint32_t>(i));
      bytes = 0;
      for (const model::LoraDelta& delta : adapter.deltas) {
        bytes += static_cast<double>((delta.a.size() + delta.b.size()) * sizeof(float));
      }
      const auto id = engine.install(std::move(adapter));
      if (!id) return id.error();
      each.push_back(*id);
    }
    const std::vector<AdapterId> few(each.begin(), each.begin() + kSharedAdapters);
    std::vector<double> none_ms, few_ms, each_ms, read_ms;
    for (int round = 0; round < settings_.rounds; ++round) {
      const auto ceilings = model::measure_ceilings(settings_.model.threads, kProbeSeconds);
      if (!ceilings) return ceilings.error();
      read_ms.push_back(bytes * static_cast<double>(kMostSequences) / ceilings->read_bytes_per_s * 1000);
      for (const auto& [adapters, times] :
           {std::pair(std::vector<AdapterId>(), &none_ms), std::pair(few, &few_ms), std::pair(each, &each_ms)}) {
        const auto ms = step_ms(engine, kMostSequences, adapters);
        if (!ms) return ms.error();
        times->push_back(*ms);
      }
    }
    std::vector<double> few_ratio, each_over_read;
    for (std::size_t i = 0; i < none_ms.size(); ++i) {
      few_ratio.push_back(few_ms[i] / none_ms[i]);
      each_over_read.push_back((each_ms[i] - none_ms[i]) / read_ms[i]);
    }
    return json{{"sequences", kMostSequences},     {"rank", kRank},
                {"fp32_bytes_of_one", bytes},      {"none_step_ms", median(none_ms)},
                {"four_step_ms", median(few_ms)},  {"four_times_none", median(few_ratio)},
                {"each_step_ms", median(each_ms)}, {"each_extra_times_reading_them", median(each_over_read)}};
  }

  Expected<json> speculation() {
    return measure_speculation(stack_, static_cast<std::size_t>(settings_.rounds), cancel_);
  }

  static constexpr std::array<std::pair<const char*, Measure>, 5> kMeasures{{{"batches", &Bench::batches},
                                                                             {"keys", &Bench::keys},
                                                                             {"beams", &Bench::beams},
                                                                             {"speculation", &Bench::speculation},
                                                                             {"adapters", &Bench::adapters}}};

  const ModelStack& stack_;
  const Settings& settings_;
  const CancelFlag cancel_;
  ProgressBar bar_;
};

void print(const json& out) {
  fmt::print("{}, {}\n", out["model"].get<std::string>(), out["dtype"].get<std::string>());
  for (const json& row : out["batches"]) {
    fmt::print("{:>3} sequences a step    {:8.2f} ms  {:8.1f} tokens/s\n", row["sequences"].get<int>(),
               row["step_ms"].get<double>(), row["tokens_per_s"].get<double>());
  }
  for (const json& row : out["keys"]) {
    fmt::print("{:>4} cached, {:>2} more     {:8.2f} ms  ({:.0f} computed, least {:.2f} ms)\n",
               row["cached"].get<int>(), row["added"].get<int>(), row["p50_ms"].get<double>(),
               row["prefilled_p50"].get<double>(), row["least_ms"].get<double>());
  }
  const json& beams = out["beams"];
  fmt::print("beam search of {}       {:8.2f} ms  {:.2f} times greedy ({:.2f} ms), {} tokens\n",
             beams["beams"].get<int>(), beams["beam_ms"].get<double>(), beams["times_greedy"].get<double>(),
             beams["greedy_ms"].get<double>(), beams["new_tokens"].get<int>());
  for (const auto& [text, kinds] : out["speculation"].items()) {
    for (const auto& [kind, sum] : kinds.items()) {
      fmt::print("guesses, {:<5} {:<6}     {:5.2f} times as fast, {:.2f} tokens a step, {:.0f}% of guesses right\n",
                 text, kind, sum["times_as_fast"].get<double>(), sum["tokens_per_step"].get<double>(),
                 sum["accepted_share"].get<double>() * 100);
    }
  }
  const json& adapters = out["adapters"];
  if (adapters.is_null()) return;
  fmt::print(
      "{} sequences, none of them with an adapter {:.2f} ms a step; over 4: {:.2f} ms, {:.2f} times; each its own: "
      "{:.2f} ms, {:.2f} times the reading of them on top\n",
      adapters["sequences"].get<int>(), adapters["none_step_ms"].get<double>(), adapters["four_step_ms"].get<double>(),
      adapters["four_times_none"].get<double>(), adapters["each_step_ms"].get<double>(),
      adapters["each_extra_times_reading_them"].get<double>());
}

int run(const Settings& settings) {
  const auto fail = [](const Error& error) {
    fmt::print(stderr, "weft bench engine: {}\n", error.message);
    return 1;
  };
  const CancelFlag cancel = cancel_on_interrupt();
  auto stack = load_model_stack(settings.model);
  if (!stack) return fail(stack.error());
  const auto measured = Bench(*stack, settings, cancel).run();
  if (!measured) return fail(measured.error());
  settings.json ? fmt::print("{}\n", measured->dump(2)) : print(*measured);
  return 0;
}

}  // namespace

void add_bench_engine_command(CLI::App& bench, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app =
      bench.add_subcommand("engine", "The engine over one model: shared steps, keys, beams, guesses, adapters");
  add_model_options(*app, settings->model);
  app->add_option("--rounds", settings->rounds, "of each measure; the median counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_flag("!--no-adapters", settings->adapters, "leave out the adapters, which take memory of their own");
  app->add_flag("--json", settings->json, "print the numbers as JSON");
  app->footer("Example:\n  weft bench engine --model ./my-model --weights int8 --json");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
