// `weft bench model`: prefill, decoding and a keystroke of the model alone, beside what the machine could do in the
// same minute. Main thread only.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lsp/command/bench.h"
#include "lsp/command/bench_steps.h"
#include "lsp/command/model_stack.h"
#include "lsp/command/progress_bar.h"
#include "lsp/command/statistics.h"
#include "model/ceilings.h"
#include "model/config/weight_specs.h"

namespace weft::lsp {
namespace {

constexpr double kProbeSeconds = 0.4;
constexpr std::int64_t kNewTokens = 32, kKeystrokeTokens = 4, kKeystrokes = 9;

struct Settings {
  ModelOptions model;
  int rounds = 3;
  bool json = false;
};

// One way of asking, and the ceiling of the machine around it.
struct Measure {
  std::string name;
  double seconds = 0;  // the median of the rounds
  double rate = 0;     // tokens a second, or keystrokes
  double share = 0;    // of what the ceiling allows
  std::string of;      // which ceiling
};

// Multiplications and additions of the linears that every token goes through: not the head, which a prompt's last token
// alone meets, and of experts those that a token is given to. Attention is not counted.
double linear_ops_per_token(const model::ModelConfig& config) {
  double ops = 0;
  for (const model::WeightSpec& spec : model::weight_specs(config)) {
    if (spec.packed_as.empty() || spec.packed_as == model::kHead) continue;
    const double share = spec.expert < 0 ? 1.0 : static_cast<double>(config.experts->per_token) / config.experts->count;
    ops += 2.0 * share * static_cast<double>(spec.shape[0]) * static_cast<double>(spec.shape[1]);
  }
  return ops;
}

class Bench {
 public:
  Bench(ModelStack& stack, const Settings& settings) : steps_(*stack.runner, *stack.clock), settings_(settings) {
    info_ = stack.runner->info();
    ops_per_token_ = linear_ops_per_token(stack.config);
    int8_ = info_.dtype == "int8" || info_.dtype == "int4";
  }

  Expected<std::vector<Measure>> run(ProgressBar& bar) {
    std::vector<Measure> out;
    const auto longest = static_cast<std::int64_t>(info_.max_positions);
    for (const std::int64_t context : {512, 2048}) {
      if (context + kNewTokens + kKeystrokes * kKeystrokeTokens > longest) continue;
      bar.show(static_cast<double>(out.size()) / 6, fmt::format("{} tokens", context));
      for (const auto measure : {&Bench::prefill, &Bench::decode, &Bench::keystroke}) {
        auto measured = (this->*measure)(context);
        if (!measured) return measured.error();
        out.push_back(*std::move(measured));
      }
    }
    return out;
  }

  [[nodiscard]] const model::Ceilings& ceilings() const { return ceilings_; }

 private:
  [[nodiscard]] double bytes_per_token(std::int64_t context) const {
    return static_cast<double>(info_.weight_bytes) +
           static_cast<double>(info_.kv_bytes_per_token) * static_cast<double>(context);
  }

  // Ceilings are taken beside each round: other programs slow both. `ask` gives seconds, `ideal` those that the
  // ceilings allow.
  template <class Ask, class Ideal>
  Expected<std::pair<double, double>> rounds(const Ask& ask, const Ideal& ideal) {
    std::vector<double> seconds, shares;
    for (int round = 0; round < settings_.rounds; ++round) {
      const auto before = model::measure_ceilings(settings_.model.threads, kProbeSeconds);
      if (!before) return before.error();
      const Expected<double> asked = ask();
      if (!asked) return asked.error();
      ceilings_ = *before;
      seconds.push_back(*asked);
      shares.push_back(ideal(*before) / *asked);
    }
    return std::pair(median(seconds), median(shares));
  }

  Expected<Measure> prefill(std::int64_t context) {
    const auto done = rounds([&] { return steps_.prefill(context); },
                             [&](const model::Ceilings& c) {
                               const double rate = int8_ ? c.int8_ops_per_s : c.fp32_ops_per_s;
                               return ops_per_token_ * static_cast<double>(context) / rate;
                             });
    if (!done) return done.error();
    return Measure{fmt::format("prefill {}", context), done->first, static_cast<double>(context) / done->first,
                   done->second, int8_ ? "int8 operations" : "fp32 operations"};
  }

  Expected<Measure> decode(std::int64_t context) {
    const auto done = rounds([&] { return steps_.decode(context, kNewTokens); },
                             [&](const model::Ceilings& c) {
                               return static_cast<double>(kNewTokens) * bytes_per_token(context) / c.read_bytes_per_s;
                             });
    if (!done) return done.error();
    return Measure{fmt::format("decode after {}", context), done->first, static_cast<double>(kNewTokens) / done->first,
                   done->second, "memory read"};
  }

  Expected<Measure> keystroke(std::int64_t context) {
    const auto one = [&]() -> Expected<double> {
      auto all = steps_.keystrokes(context, kKeystrokeTokens, kKeystrokes);
      if (!all) return all.error();
      return median(*std::move(all));
    };
    const auto done =
        rounds(one, [&](const model::Ceilings& c) { return bytes_per_token(context) / c.read_bytes_per_s; });
    if (!done) return done.error();
    return Measure{fmt::format("{} tokens more after {}", kKeystrokeTokens, context), done->first, 1 / done->first,
                   done->second, "memory read"};
  }

  TimedSteps steps_;
  const Settings& settings_;
  model::RunnerInfo info_;
  double ops_per_token_ = 0;
  bool int8_ = false;
  model::Ceilings ceilings_;
};

void print(const model::RunnerInfo& info, const model::Ceilings& ceilings, const std::vector<Measure>& measures,
           bool json) {
  if (json) {
    nlohmann::json out = {{"model", info.name},
                          {"weights", info.dtype},
                          {"weight_bytes", info.weight_bytes},
                          {"kv_bytes_per_token", info.kv_bytes_per_token},
                          {"ceilings",
                           {{"read_bytes_per_s", ceilings.read_bytes_per_s},
                            {"fp32_ops_per_s", ceilings.fp32_ops_per_s},
                            {"int8_ops_per_s", ceilings.int8_ops_per_s}}},
                          {"measures", nlohmann::json::array()}};
    for (const Measure& each : measures) {
      out["measures"].push_back({{"name", each.name},
                                 {"s", each.seconds},
                                 {"per_s", each.rate},
                                 {"share", each.share},
                                 {"share_of", each.of}});
    }
    fmt::print("{}\n", out.dump(2));
    return;
  }
  fmt::print("{} in {}: {:.0f} MB of weights a token, {:.1f} KB of KV a token\n", info.name, info.dtype,
             static_cast<double>(info.weight_bytes) / 1e6, static_cast<double>(info.kv_bytes_per_token) / 1e3);
  fmt::print("this machine now: reads {:.1f} GB/s, fp32 {:.0f} GFLOP/s, int8 {:.0f} GOP/s\n",
             ceilings.read_bytes_per_s / 1e9, ceilings.fp32_ops_per_s / 1e9, ceilings.int8_ops_per_s / 1e9);
  for (const Measure& each : measures) {
    fmt::print("{:<27} {:9.1f} ms  {:8.1f}/s  {:3.0f} % of {}\n", each.name, each.seconds * 1000, each.rate,
               each.share * 100, each.of);
  }
}

int run(const Settings& settings) {
  const auto fail = [](const Error& error) {
    fmt::print(stderr, "weft bench model: {}\n", error.message);
    return 1;
  };
  auto stack = load_model_stack(settings.model);
  if (!stack) return fail(stack.error());
  Bench bench(*stack, settings);
  ProgressBar bar(*stack->clock);
  const auto measures = bench.run(bar);
  if (!measures) return fail(measures.error());
  print(stack->runner->info(), bench.ceilings(), *measures, settings.json);
  return 0;
}

}  // namespace

void add_bench_model_command(CLI::App& bench, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = bench.add_subcommand("model", "Speed of the model alone, as shares of what this machine could do");
  add_model_options(*app, settings->model);
  app->add_option("--rounds", settings->rounds, "of each measure; the median counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_flag("--json", settings->json, "print the numbers as JSON");
  app->footer("Example:\n  weft bench model --model ./my-model --weights int8 --threads 2");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
