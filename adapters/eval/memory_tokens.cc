#include "adapters/eval/memory_tokens.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "generation/memory/file_memory.h"
#include "generation/memory/lines.h"
#include "generation/memory/snapshot_memory.h"
#include "generation/privacy/secrets.h"
#include "generation/spelling.h"
#include "model/base/logits.h"
#include "model/tokenizer/prefix_trie.h"

namespace weft::adapters {
namespace {

using generation::Evidence;

constexpr std::size_t kMostFiles = 5000;
constexpr std::size_t kFileBytes = 256 << 10;
constexpr SequenceId kSequence{~std::uint64_t{0}};  // far from those that an engine counts up

// The tokens that a memory goes on with by itself: of each source's answer the longest match's first.
std::vector<TokenId> draft_of(const generation::TokenMemory& memory, std::vector<TokenId> context, std::size_t count) {
  std::vector<TokenId> draft;
  while (draft.size() < count) {
    const std::vector<Evidence> evidence = memory.look_up(context);
    if (evidence.empty()) break;
    const auto longest = std::ranges::max_element(evidence, {}, &Evidence::match_length);
    draft.push_back(longest->continuations.front().token);
    context.push_back(draft.back());
  }
  return draft;
}

MemoryToken observe(std::span<const float> logits, TokenId next, std::span<const Evidence> evidence) {
  const Peak peak = find_peak(logits);
  const double sum = log_sum_exp(logits, peak);
  const auto probability = [&](TokenId token) {
    const float logit = logits[static_cast<std::size_t>(token.value())];
    return std::isfinite(logit) ? std::exp(static_cast<double>(logit) - sum) : 0;
  };
  MemoryToken token;
  token.next = next;
  token.best = TokenId(static_cast<std::int32_t>(peak.index));
  token.model = probability(next);
  token.best_probability = probability(token.best);
  token.opinions = generation::opinions_of(evidence, token.best, logits);
  for (const generation::Opinion& opinion : token.opinions) {
    std::vector<double>& shares = token.of_model.emplace_back();
    for (const generation::Continuation& one : opinion.continuations) shares.push_back(probability(one.token));
    if (opinion.match_length <= token.match_length) continue;
    token.match_length = opinion.match_length;
    token.remembered = opinion.continuations.front().token;
  }
  return token;
}

class Reader {
 public:
  Reader(const MemoryTokensOptions& options, const MemorySubject& subject)
      : options_(options), subject_(subject), trie_(*subject.tokenizer) {}

  // The rest of the line at `place`, at the end of both.
  Expected<void> read(const EvalFile& file, std::size_t place, generation::FileMemory& file_memory,
                      const generation::ProjectText& project, MemoryLines& lines) {
    const std::size_t line_end = std::min(file.text.find('\n', place), file.text.size());
    const std::string_view before = std::string_view(file.text).substr(0, place);
    const std::string_view after = std::string_view(file.text).substr(line_end);
    const auto prompt = generation::build_prompt({file.path, before, after}, options_.prompt,
                                                 {subject_.config, *subject_.tokenizer, trie_}, generation::screen);
    if (!prompt) return prompt.error();
    const std::string without_rest = std::string(before) + std::string(after);
    const auto text = file_memory.update({file.path, without_rest, place, prompt->opening.size()});
    const auto memory = generation::make_memory(text, project, options_.environment);
    const auto without_environment = generation::make_memory(text, project);

    std::string_view opening = prompt->opening;
    std::vector<TokenId> tokens = prompt->tokens;
    std::vector<TokenId> context = file_memory.context();
    std::size_t read = 0;  // of tokens
    MemoryLine &line = lines.all.emplace_back(), &without = lines.without_environment.emplace_back();
    const std::string rest = prompt->opening + file.text.substr(place, line_end - place);
    for (const TokenId next : subject_.tokenizer->encode(rest)) {
      const std::size_t bytes = subject_.tokenizer->bytes(next).size();
      if (bytes <= opening.size()) {  // nothing to say: it is there
        opening.remove_prefix(bytes);
      } else {
        auto logits = step(tokens, read);
        if (!logits) return logits.error();
        read = tokens.size();
        if (!opening.empty()) *logits = generation::Spelling(std::string(opening)).endings(*logits, trie_);
        opening = {};
        line.push_back(observe(*logits, next, memory->look_up(context)));
        line.back().draft = draft_of(*memory, context, options_.draft_tokens);
        without.push_back(observe(*logits, next, without_environment->look_up(context)));
        without.back().draft = draft_of(*without_environment, context, options_.draft_tokens);
      }
      tokens.push_back(next);
      context.push_back(next);
    }
    return {};
  }

  Expected<void> finish() {
    const auto released = subject_.runner.step({.sequences = {}, .released = {kSequence}});
    if (!released) return released.error();
    return {};
  }

 private:
  Expected<std::vector<float>> step(const std::vector<TokenId>& tokens, std::size_t read) {
    model::StepPlan plan;
    plan.sequences.push_back({kSequence, Position(static_cast<std::int32_t>(read)),
                              std::vector(tokens.begin() + static_cast<std::ptrdiff_t>(read), tokens.end()), true});
    auto result = subject_.runner.step(plan);
    if (!result) return result.error();
    return std::move(result->logits);
  }

  const MemoryTokensOptions& options_;
  const MemorySubject& subject_;
  model::PrefixTrie trie_;
};

}  // namespace

Expected<std::vector<std::vector<EvalFile>>> read_projects(const std::string& directory) {
  CompletionEvalOptions options;
  options.directory = directory;
  options.max_files = kMostFiles;
  options.limit_bytes = kFileBytes;
  auto files = read_eval_files(options);
  if (!files) return files.error();
  std::map<std::string, std::vector<EvalFile>> projects;
  for (EvalFile& file : *files) {
    const auto below = std::filesystem::path(file.path).lexically_relative(directory);
    const bool in_folder = std::distance(below.begin(), below.end()) > 1;
    projects[in_folder ? below.begin()->string() : ""].push_back(std::move(file));
  }
  std::vector<std::vector<EvalFile>> out;
  for (auto& [name, project] : projects) out.push_back(std::move(project));
  return out;
}

std::set<std::string> names_of_projects(const std::string& directory, std::span<const std::vector<EvalFile>> projects) {
  // Names that every project has say nothing of whose a file is.
  static const std::set<std::string> kCommon = {"__init__", "__main__", "conftest", "docs",  "examples",
                                                "lib",      "setup",    "src",      "tests", "utils"};
  std::set<std::string> names;
  for (const std::vector<EvalFile>& project : projects) {
    for (const EvalFile& file : project) {
      const auto below = std::filesystem::path(file.path).lexically_relative(directory);
      auto part = below.begin();
      for (int depth = 0; depth < 2 && part != below.end(); ++depth, ++part) {
        const std::string name = part->stem().string();
        if (!kCommon.contains(name)) names.insert(name);
      }
    }
  }
  return names;
}

Expected<MemoryLines> read_memory_lines(std::span<const EvalFile> project, const MemoryTokensOptions& options,
                                        const MemorySubject& subject,
                                        const std::function<void(double fraction)>& progress) {
  generation::SuffixIndex index;
  for (std::size_t i = 0; i < project.size(); ++i) {
    index.set_text(i, generation::memory_tokens(project[i].text, *subject.tokenizer));
  }
  const auto others = index.snapshot();
  Reader reader(options, subject);
  MemoryLines lines;
  const std::size_t files = std::min(options.files_per_project, project.size());
  for (std::size_t chosen = 0; chosen < files; ++chosen) {
    const std::size_t i = chosen * project.size() / files;
    generation::FileMemory file_memory(subject.tokenizer);
    for (const std::size_t place : choose_places(project[i].text, options.lines_per_file, options.seed + i)) {
      if (auto read = reader.read(project[i], place, file_memory, {others, i}, lines); !read) return read.error();
    }
    progress(static_cast<double>(chosen + 1) / static_cast<double>(files));
  }
  if (auto finished = reader.finish(); !finished) return finished.error();
  return lines;
}

}  // namespace weft::adapters
