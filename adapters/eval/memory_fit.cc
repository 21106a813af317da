#include "adapters/eval/memory_fit.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <nlohmann/json.hpp>

namespace weft::adapters {
namespace {

using generation::kMemoryCells;
using generation::MemoryWeights;
using generation::Opinion;

constexpr std::size_t kCellsOfLength = generation::kSurenesses * generation::kAgreements;
constexpr std::size_t kCellsOfSource = kCellsOfLength * generation::kMatchLengths.size();
constexpr double kLeast = 1e-12;  // probability, so that nothing costs infinitely much
constexpr int kRounds = 50;

double share_of(const Opinion& opinion, TokenId token) {
  const auto found = std::ranges::find(opinion.continuations, token, &generation::Continuation::token);
  return found == opinion.continuations.end() ? 0 : found->count / opinion.count;
}

struct Prior {
  double tokens;  // that it counts as
  std::array<float, kMemoryCells> shares;
};

// `cells_of_group` neighbouring cells share a weight.
MemoryWeights maximise(std::span<const MemoryLine> lines, std::size_t cells_of_group, const Prior& prior) {
  MemoryWeights weights{prior.shares};
  for (int round = 0; round < kRounds; ++round) {
    // Of each group how much of what was left the source is held responsible for, and how much was left.
    std::array<double, kMemoryCells> taken{}, left{};
    for (const MemoryLine& line : lines) {
      for (const MemoryToken& token : line) {
        const std::vector<double> given = generation::weights_of(token.opinions, weights);
        double rest = 1, sum = 0;
        std::vector<double> parts;
        for (std::size_t i = 0; i < given.size(); ++i) {
          parts.push_back(given[i] * share_of(token.opinions[i], token.next));
          rest -= given[i];
          sum += parts.back();
        }
        sum += rest * token.model;
        if (sum <= 0) continue;
        double still = 1;
        for (std::size_t i = 0; i < given.size(); ++i) {
          const std::size_t group = token.opinions[i].cell / cells_of_group;
          taken[group] += parts[i] / sum;
          left[group] += still;
          still -= parts[i] / sum;
        }
      }
    }
    for (std::size_t cell = 0; cell < kMemoryCells; ++cell) {
      const std::size_t group = cell / cells_of_group;
      const double share = (taken[group] + prior.tokens * prior.shares[cell]) / (left[group] + prior.tokens);
      weights.shares[cell] = static_cast<float>(share);
    }
  }
  return weights;
}

// What is likeliest in the mixture: the model's likeliest, or something that a source says.
TokenId likeliest(const MemoryToken& token, std::span<const double> given) {
  double rest = 1;
  for (const double weight : given) rest -= weight;
  struct Candidate {
    TokenId token;
    double probability;
  };
  std::vector<Candidate> candidates{{token.best, rest * token.best_probability}};
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Opinion& opinion = token.opinions[i];
    for (std::size_t j = 0; j < opinion.continuations.size(); ++j) {
      const generation::Continuation& one = opinion.continuations[j];
      auto found = std::ranges::find(candidates, one.token, &Candidate::token);
      if (found == candidates.end()) {
        candidates.push_back({one.token, rest * token.of_model[i][j]});
        found = candidates.end() - 1;
      }
      found->probability += given[i] * one.count / opinion.count;
    }
  }
  return std::ranges::max_element(candidates, {}, &Candidate::probability)->token;
}

void add(NextTokenScore& score, bool right, double probability) {
  score.right += right ? 1 : 0;
  score.nats -= std::log(std::max(probability, kLeast));
}

void add(MemoryScore& score, const MemoryToken& token, std::span<const double> given, std::size_t vocabulary) {
  double rest = 1, remembered = 0;
  for (std::size_t i = 0; i < given.size(); ++i) {
    rest -= given[i];
    remembered += given[i] * share_of(token.opinions[i], token.next);
  }
  ++score.tokens;
  add(score.model, token.best == token.next, token.model);
  add(score.memory, token.match_length > 0 && token.remembered == token.next,
      remembered + rest / static_cast<double>(vocabulary));
  add(score.mixture, likeliest(token, given) == token.next, remembered + rest * token.model);
}

// Steps in which greedy decoding gets through the line when each verifies a draft: a step gives one token, and one more
// for each drafted token that is what the mixture holds likeliest. Where that is not the line's, the line goes on.
void add_steps(MemoryReport& report, const MemoryLine& line, const std::vector<TokenId>& chosen) {
  for (std::size_t at = 0; at < line.size();) {
    const std::vector<TokenId>& draft = line[at].draft;
    const std::size_t most = std::min(draft.size(), line.size() - at);
    std::size_t accepted = 0;
    bool on_the_line = true;
    while (accepted < most && on_the_line && draft[accepted] == chosen[at + accepted]) {
      on_the_line = chosen[at + accepted] == line[at + accepted].next;
      ++accepted;
    }
    ++report.steps;
    report.drafted += most;
    report.accepted += accepted;
    at += std::min(accepted + (on_the_line ? 1 : 0), line.size() - at);
  }
}

nlohmann::ordered_json to_json(const NextTokenScore& score, std::size_t tokens) {
  const auto count = static_cast<double>(std::max<std::size_t>(tokens, 1));
  return {{"accuracy", static_cast<double>(score.right) / count}, {"nats_per_token", score.nats / count}};
}

nlohmann::ordered_json to_json(const MemoryScore& score) {
  return {{"tokens", score.tokens},
          {"model", to_json(score.model, score.tokens)},
          {"memory", to_json(score.memory, score.tokens)},
          {"mixture", to_json(score.mixture, score.tokens)}};
}

}  // namespace

MemoryWeights fit_memory_weights(std::span<const MemoryLine> lines) {
  Prior prior{.tokens = 2, .shares = {}};
  prior.shares.fill(0.25F);
  prior = {.tokens = 8, .shares = maximise(lines, kCellsOfLength, prior).shares};
  return maximise(lines, 1, prior);
}

MemoryReport score_memory(std::span<const MemoryLine> lines, const MemoryWeights& weights, std::size_t vocabulary) {
  MemoryReport report;
  report.lines = lines.size();
  report.by_length.resize(generation::kMatchLengths.size() + 1);
  for (const MemoryLine& line : lines) {
    std::vector<TokenId> chosen;
    for (const MemoryToken& token : line) {
      const std::vector<double> given = generation::weights_of(token.opinions, weights);
      const auto row = std::ranges::upper_bound(generation::kMatchLengths, token.match_length);
      add(report.all, token, given, vocabulary);
      add(report.by_length[static_cast<std::size_t>(row - generation::kMatchLengths.begin())], token, given,
          vocabulary);
      for (const Opinion& opinion : token.opinions) {
        SourceScore& source = report.by_source[opinion.cell / kCellsOfSource];
        ++source.tokens;
        source.right += opinion.continuations.front().token == token.next ? 1 : 0;
      }
      chosen.push_back(likeliest(token, given));
    }
    add_steps(report, line, chosen);
  }
  return report;
}

std::string to_json(const MemoryReport& report, const MemoryReport* without_environment, const MemoryWeights& weights,
                    const std::string& model) {
  nlohmann::ordered_json json = to_json(report.all);
  json["lines"] = report.lines;
  json["model_name"] = model;
  if (without_environment != nullptr) {
    json["mixture_without_environment"] = to_json(without_environment->all.mixture, without_environment->all.tokens);
  }
  for (std::size_t i = 0; i < report.by_source.size(); ++i) {
    const SourceScore& source = report.by_source[i];
    const auto count = static_cast<double>(std::max<std::size_t>(source.tokens, 1));
    json["by_source"][std::string(generation::name_of(static_cast<generation::MemorySource>(i)))] = {
        {"tokens", source.tokens}, {"accuracy", static_cast<double>(source.right) / count}};
  }
  nlohmann::ordered_json lengths = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < report.by_length.size(); ++i) {
    nlohmann::ordered_json row = {{"match_length", i == 0 ? 0 : generation::kMatchLengths[i - 1]}};
    row.update(to_json(report.by_length[i]));
    lengths.push_back(std::move(row));
  }
  json["by_match_length"] = std::move(lengths);
  const auto steps = static_cast<double>(std::max<std::size_t>(report.steps, 1));
  const auto drafted = static_cast<double>(std::max<std::size_t>(report.drafted, 1));
  json["draft"] = {{"tokens_per_step", static_cast<double>(report.all.tokens) / steps},
                   {"drafted", report.drafted},
                   {"accepted_share", static_cast<double>(report.accepted) / drafted}};
  json["weights"] = nlohmann::ordered_json::parse(generation::to_json(weights));
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace weft::adapters
