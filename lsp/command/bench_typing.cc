// `weft bench typing`: recorded typing sessions played back through the daemon's own classes, in their own time: how
// long a key waits for its suggestion, and what it costs. With --minutes it goes on and watches memory. Main thread
// only.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "lsp/command/bench.h"
#include "lsp/command/counting_runner.h"
#include "lsp/command/interrupt.h"
#include "lsp/command/progress_bar.h"
#include "lsp/command/prompt_log.h"
#include "lsp/command/typing_daemon.h"
#include "lsp/command/typing_replay.h"
#include "lsp/command/typing_report.h"
#include "lsp/command/typing_soak.h"
#include "lsp/command/typing_trace.h"
#include "lsp/model_loader.h"

namespace weft::lsp {
namespace {

constexpr double kLongestPauseMs = 1000;

struct Settings {
  ModelOptions model;
  std::vector<std::string> traces;
  double speed = 1;
  std::size_t editors = 0;  // 0: each trace by itself, with the editors that it has
  std::size_t keys = 0;     // of an editor; 0: all
  double minutes = 0;       // 0: each trace once
  bool real_pauses = false, json = false;
  std::string dump_prompts;
};

using Round = std::vector<const TypingStream*>;  // at once

Expected<std::vector<TypingTrace>> load_traces(const Settings& settings) {
  std::vector<std::string> files = settings.traces;
  if (files.empty()) {
    auto shipped = shipped_traces();
    if (!shipped) return shipped.error();
    files = *std::move(shipped);
  }
  std::vector<TypingTrace> traces;
  for (const std::string& file : files) {
    auto trace = read_trace(file);
    if (!trace) return trace.error();
    if (!settings.real_pauses) cut_pauses(*trace, kLongestPauseMs);
    for (TypingStream& stream : trace->editors) {
      if (settings.keys > 0) keep_keys(stream, settings.keys);
    }
    traces.push_back(*std::move(trace));
  }
  return traces;
}

// Without a number of editors a round is a trace; with it so many streams. None is played twice, since the second time
// would be answered from memory: what is left over is left out.
Expected<std::vector<Round>> plan_rounds(const std::vector<TypingTrace>& traces, std::size_t editors) {
  std::vector<Round> rounds;
  Round all;
  for (const TypingTrace& trace : traces) {
    Round& round = rounds.emplace_back();
    for (const TypingStream& stream : trace.editors) round.push_back(&stream);
    all.insert(all.end(), round.begin(), round.end());
  }
  if (editors == 0) return rounds;
  if (editors > all.size()) return make_error("the traces have {} editors, {} are asked for", all.size(), editors);
  rounds.clear();
  for (auto begin = all.begin(); all.end() - begin >= static_cast<std::ptrdiff_t>(editors);) {
    const auto end = begin + static_cast<std::ptrdiff_t>(editors);
    rounds.emplace_back(begin, end);
    begin = end;
  }
  return rounds;
}

// A line a prompt, in the order of submission: {"at_ms", "prompt": [ids], "generated", "computed", "finished",
// "queue_ms", "prefill_ms", "decode_ms", "prefilled"}.
Expected<void> dump(const PromptLog& log, const std::string& path) {
  std::ofstream file(path);
  for (const LoggedPrompt& prompt : log.prompts()) {
    Json ids = Json::array();
    for (const TokenId token : prompt.tokens) ids.push_back(token.value());
    file << Json{{"at_ms", prompt.at_ms},
                 {"prompt", std::move(ids)},
                 {"generated", prompt.timings.generated_tokens},
                 {"computed", prompt.computed},
                 {"finished", prompt.finished},
                 {"queue_ms", prompt.timings.queue_ms},
                 {"prefill_ms", prompt.timings.prefill_ms},
                 {"decode_ms", prompt.timings.decode_ms},
                 {"prefilled", prompt.timings.prefilled_tokens}}
                .dump()
         << '\n';
  }
  file.flush();
  if (!file) return make_error("{}: cannot be written", path);
  return {};
}

class Bench {
 public:
  explicit Bench(const Settings& settings) : settings_(settings) {}

  Expected<void> load() {
    ModelLoaderOptions options;
    options.model = settings_.model;
    // A soak watches memory, which a log of all prompts would fill.
    if (settings_.minutes == 0) {
      options.engine.on_submit = [log = log_](const generation::GenerationRequest& request,
                                              generation::EventSink& sink) { log->watch(request, sink); };
    }
    options.around_runner = [this](std::shared_ptr<model::ModelRunner> runner) {
      runner_ = std::make_shared<CountingRunner>(std::move(runner));
      return runner_;
    };
    auto ready =
        make_model_loader(std::move(options))([this](double fraction) { bar_.show(fraction, "loading the model"); });
    if (!ready) return ready.error();
    report_.model = ready->info;
    metrics_ = ready->metrics;
    daemon_ = std::make_unique<TypingDaemon>(*std::move(ready));
    return {};
  }

  Expected<TypingReport> play(const std::vector<Round>& rounds) {
    report_.speed = settings_.speed;
    report_.memory_begin_mb = resident_mb();
    for (std::size_t i = 0; i < rounds.size() && !cancel_.cancelled(); ++i) {
      report_.editors = std::max(report_.editors, rounds[i].size());
      ReplayOptions options = replay_options();
      options.on_tick = [&, i](double fraction) {
        const double done = (static_cast<double>(i) + fraction) / static_cast<double>(rounds.size());
        bar_.show(done, fmt::format("{}, {} keys", rounds[i].front()->name, report_.all.keys()));
      };
      const auto end = replay(*daemon_, rounds[i], options, clock_);
      if (!end) return end.error();
      note(*end);
    }
    report_.memory_end_mb = resident_mb();
    report_.engine_tokens = runner_->tokens();
    report_.engine = std::exchange(metrics_, nullptr)();
    daemon_.reset();  // and with it the engine, so that the log is at rest
    report_.reuse = judge_reuse(log_->prompts());
    return report_;
  }

  Expected<SoakReport> soak(const std::vector<Round>& rounds) {
    Soak soak(settings_.minutes, clock_);
    for (std::size_t i = 0; !soak.over() && !cancel_.cancelled(); ++i) {
      ReplayOptions options = replay_options();
      options.cancel = soak.cancel();
      options.on_answer = [&](const TypingStream&, const AskedKey& asked) { soak.add(asked); };
      options.on_tick = [&](double) {
        if (cancel_.cancelled()) soak.cancel().cancel();
        if (const auto line = soak.tick(); !line.empty()) bar_.note(line);
      };
      const auto end = replay(*daemon_, rounds[i % rounds.size()], options, clock_);
      if (!end) return end.error();
      soak.note(*end);
    }
    return soak.report();
  }

  [[nodiscard]] const PromptLog& log() const { return *log_; }

 private:
  ReplayOptions replay_options() {
    ReplayOptions options;
    options.speed = settings_.speed;
    options.cancel = cancel_;
    options.on_answer = [this](const TypingStream& stream, const AskedKey& asked) {
      report_.all.add(asked);
      report_.by_stream[stream.name].add(asked);
    };
    return options;
  }

  void note(const ReplayEnd& end) {
    report_.end.unanswered += end.unanswered;
    report_.end.surplus += end.surplus;
    report_.end.interrupted |= end.interrupted;
  }

  const Settings& settings_;
  const SteadyClock clock_;
  CancelFlag cancel_ = cancel_on_interrupt();
  ProgressBar bar_{clock_};
  std::shared_ptr<PromptLog> log_ = std::make_shared<PromptLog>(std::make_shared<const SteadyClock>());
  std::function<generation::EngineMetrics()> metrics_;  // holds the engine
  std::shared_ptr<CountingRunner> runner_;
  std::unique_ptr<TypingDaemon> daemon_;
  TypingReport report_;
};

int fail(const Error& error) {
  fmt::print(stderr, "weft bench typing: {}\n", error.message);
  return 1;
}

int run_soak(Bench& bench, const std::vector<Round>& rounds, bool json) {
  const auto report = bench.soak(rounds);
  if (!report) return fail(report.error());
  json ? fmt::print("{}\n", to_json(*report).dump(2)) : print(*report);
  if (const auto failure = failure_of(*report); !failure.empty()) return fail(make_error("{}", failure));
  return 0;
}

int run(const Settings& settings) {
  auto traces = load_traces(settings);
  if (!traces) return fail(traces.error());
  const auto rounds = plan_rounds(*traces, settings.editors);
  if (!rounds) return fail(rounds.error());
  Bench bench(settings);
  if (auto loaded = bench.load(); !loaded) return fail(loaded.error());
  if (settings.minutes > 0) return run_soak(bench, *rounds, settings.json);
  const auto report = bench.play(*rounds);
  if (!report) return fail(report.error());
  settings.json ? fmt::print("{}\n", to_json(*report).dump(2)) : print(*report);
  if (!settings.dump_prompts.empty()) {
    if (auto dumped = dump(bench.log(), settings.dump_prompts); !dumped) return fail(dumped.error());
  }
  if (const std::string failure = failure_of(report->end); !failure.empty()) return fail(make_error("{}", failure));
  return report->end.interrupted ? 1 : 0;
}

}  // namespace

void add_bench_typing_command(CLI::App& bench, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = bench.add_subcommand("typing", "Recorded typing, played back: what a key waits and what it costs");
  app->add_option("--trace", settings->traces,
                  "a recording of `weftd --record`, or the name of one that came with weft")
      ->type_name("FILE");
  app->add_option("--editors", settings->editors, "this many of the traces at once (default: one after the other)");
  app->add_option("--keys", settings->keys, "stop each editor after so many keys (default: all)");
  app->add_option("--speed", settings->speed, "divides the times between keys")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_flag("--real-pauses", settings->real_pauses, "do not cut pauses to a second");
  auto* minutes = app->add_option("--minutes", settings->minutes, "go on for so long; fails where memory grows")
                      ->check(CLI::PositiveNumber);
  app->add_option("--dump-prompts", settings->dump_prompts, "write the prompts' token ids there, a line each")
      ->type_name("FILE")
      ->excludes(minutes);
  add_model_options(*app, settings->model);
  app->add_flag("--json", settings->json, "print the numbers as JSON");
  app->footer("Example:\n  weft bench typing --editors 4 --json");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
