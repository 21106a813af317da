#include "adapters/tasks/bug_detection.h"

#include <algorithm>

#include "adapters/tasks/examples.h"
#include "adapters/tasks/lines.h"
#include "adapters/tasks/mutations.h"
#include "generation/syntax/functions.h"
#include "model/base/hash.h"

namespace weft::adapters {
namespace {

using generation::Language;
using generation::SyntaxTree;

// The prompt's last line. A verdict begins the line below it, so that it has no blank before it, whatever the tokenizer
// makes of blanks.
constexpr std::string_view kMarker = "\n# bug or ok?\n";
constexpr std::string_view kBug = "bug", kClean = "ok";
constexpr std::string_view kOld = "\n- ", kNew = "\n+ ";

constexpr std::size_t kFewestLines = 3;  // less says too little to be wrong about

// "bug", then the line as it is and as it is meant, as a diff has them, without indentation.
std::string bug_answer(std::string_view line, std::string_view fixed) {
  std::string answer(kBug);
  answer.append(kOld).append(trimmed(line)).append(kNew).append(trimmed(fixed));
  return answer;
}

std::string_view function_of(std::string_view prompt) {
  return prompt.ends_with(kMarker) ? prompt.substr(0, prompt.size() - kMarker.size()) : prompt;
}

bool fits(std::string_view prompt, std::string_view answer) {
  return most_tokens(prompt) <= kBugPromptTokens && most_tokens(answer) <= kBugAnswerTokens;
}

}  // namespace

std::string bug_prompt(std::string_view function) {
  std::string prompt(function.substr(0, function.find_last_not_of("\r\n") + 1));
  prompt += kMarker;
  return prompt;
}

std::string_view bug_verdict() { return kBug; }
std::string_view clean_verdict() { return kClean; }

std::optional<BugReport> parse_bug_answer(std::string_view function, std::string_view answer) {
  answer = trimmed(answer);
  if (!answer.starts_with(kBug)) return std::nullopt;
  answer.remove_prefix(kBug.size());
  const std::size_t fixed_at = answer.find(kNew);
  if (!answer.starts_with(kOld) || fixed_at == std::string_view::npos) return std::nullopt;
  const std::string_view old = trimmed(answer.substr(kOld.size(), fixed_at - kOld.size()));
  const std::string_view fixed = trimmed(answer.substr(fixed_at + kNew.size()));
  if (old.empty() || fixed.empty() || old == fixed || fixed.find('\n') != std::string_view::npos) return std::nullopt;
  const auto lines = lines_of(function);
  const auto is_old = [old](std::string_view line) { return trimmed(line) == old; };
  const auto found = std::ranges::find_if(lines, is_old);
  if (found == lines.end() || std::ranges::count_if(lines, is_old) > 1) return std::nullopt;
  return BugReport{static_cast<std::size_t>(found - lines.begin()), std::string(fixed)};
}

std::vector<TaskExample> bug_examples(const Language& language, std::string_view source, Random& random) {
  std::vector<TaskExample> examples;
  const auto tree = SyntaxTree::parse(language, source, kSourceLimits);
  if (!tree) return examples;
  for (const auto& parts : functions_of(language, *tree, source)) {
    const std::string function = function_text(source, parts);
    if (lines_of(function).size() < kFewestLines || !fits(bug_prompt(function), "")) continue;
    const auto mutant = mutate(language, function, random);
    if (!mutant) continue;
    const std::string_view line = lines_of(mutant->text)[mutant->line];
    const std::string answer = bug_answer(line, lines_of(function)[mutant->line]);
    // The line may be there twice, or be nothing but blanks in one of the two.
    const auto read = parse_bug_answer(mutant->text, answer);
    if (!read || read->line != mutant->line || !fits(bug_prompt(mutant->text), answer)) continue;
    const auto pair = static_cast<std::int64_t>(mix64(fnv1a(function) ^ random.next()) >> 1);
    examples.push_back({bug_prompt(mutant->text), answer, std::string(mutant->rule), pair});
    examples.push_back({bug_prompt(function), std::string(kClean), "clean", pair});
  }
  return examples;
}

// The verdict for a function without a bug; else also the line and what it should be.
bool bug_answer_correct(const TaskExample& wanted, std::string_view answer) {
  if (wanted.answer == kClean) return trimmed(answer) == kClean;
  const auto right = parse_bug_answer(function_of(wanted.prompt), wanted.answer);
  const auto given = parse_bug_answer(function_of(wanted.prompt), answer);
  return right && given && right->line == given->line && right->fixed == given->fixed;
}

}  // namespace weft::adapters
