#include "adapters/tasks/refactor.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "adapters/tasks/examples.h"
#include "adapters/tasks/lines.h"
#include "adapters/tasks/refactorings.h"
#include "adapters/tasks/window.h"

namespace weft::adapters {
namespace {

using generation::ByteRange;
using generation::Language;
using generation::Node;
using generation::NodeCursor;
using generation::SyntaxTree;

constexpr std::size_t kMostOfARow = 6;  // examples of one refactoring from one file: some are everywhere

constexpr std::string_view kBefore = "# before: ", kAfter = "\n# after:\n";

// Names that a refactoring may do away with, and those that it may bring in.
constexpr std::array<std::string_view, 5> kGoneNames = {"append", "range", "len", "str", "format"};
constexpr std::array<std::string_view, 12> kNewNames = {"any", "all", "bool", "enumerate", "zip",   "sum",
                                                        "len", "set", "dict", "list",      "tuple", "str"};

// The lines of whole statements; nothing when something else stands on them.
std::optional<ByteRange> lines_around(std::string_view source, ByteRange statements) {
  const ByteRange lines = from_line_begin(source, statements);
  const std::size_t end = std::min(source.find('\n', lines.end), source.size());
  const bool alone = trimmed(source.substr(lines.begin, statements.begin - lines.begin)).empty() &&
                     trimmed(source.substr(lines.end, end - lines.end)).empty();
  return alone ? std::optional(lines) : std::nullopt;
}

std::string_view cut(std::string_view source, ByteRange range) {
  return source.substr(range.begin, range.end - range.begin);
}

// The statements with the rewrite done, without indentation.
std::string rewritten(std::string_view source, const Rewrite& rewrite, ByteRange lines) {
  std::string text(source.substr(lines.begin, rewrite.range.begin - lines.begin));
  text += rewrite.text;
  return without_indentation(text);
}

// What the row makes of statements that stand alone; nothing where it does not find itself among them.
std::optional<std::string> forward_alone(const Language& language, const Refactoring& row,
                                         std::string_view statements) {
  const auto tree = SyntaxTree::parse(language, statements);
  if (!tree || tree->root().has_error()) return std::nullopt;
  for (Node at = tree->root().named_child(0); !at.null(); at = at.next_named()) {
    const auto rewrite = row.forward(statements, at);
    if (!rewrite) continue;
    std::string text(statements);
    text.replace(rewrite->range.begin, rewrite->range.end - rewrite->range.begin, rewrite->text);
    return text;
  }
  return std::nullopt;
}

// Good statements made clumsy, if there is a way back.
std::optional<TaskExample> example_of(const Language& language, std::string_view source, const Refactoring& row,
                                      const Rewrite& inverse) {
  const auto lines = lines_around(source, inverse.range);
  if (!lines) return std::nullopt;
  const std::string good = without_indentation(cut(source, *lines));
  const std::string clumsy = rewritten(source, inverse, *lines);
  const auto back = forward_alone(language, row, clumsy);
  if (!back || !same_code(language, *back, good)) return std::nullopt;
  TaskExample example{refactor_prompt(row.name, clumsy), good, std::string(row.name), -1};
  const bool fits =
      most_tokens(example.prompt) <= kRefactorPromptTokens && most_tokens(example.answer) <= kRefactorAnswerTokens;
  return fits ? std::optional(std::move(example)) : std::nullopt;
}

std::set<std::string_view> names_of(const SyntaxTree& tree, std::string_view text) {
  std::set<std::string_view> names;
  NodeCursor cursor(tree.root());
  do {
    if (cursor.node().is("identifier")) names.insert(cursor.node().text(text));
  } while (cursor.next());
  return names;
}

// The nearest character of the line that is not blank: beside it a cursor stands in no statement.
std::size_t into_code(std::string_view source, std::size_t cursor) {
  const std::size_t begin = from_line_begin(source, {cursor, cursor}).begin;
  const std::string_view line = source.substr(begin, std::min(source.find('\n', begin), source.size()) - begin);
  const std::string_view code = trimmed(line);
  if (code.empty()) return cursor;
  const auto first = static_cast<std::size_t>(code.data() - source.data());
  return std::clamp(cursor, first, first + code.size() - 1);
}

// `source` and `cursor`: of the piece that was parsed.
void add_places(std::string_view source, const Node& statement, std::size_t cursor,
                std::vector<RefactorPlace>& places) {
  if (!is_statement(statement) || statement.has_error()) return;
  for (const Refactoring& row : refactorings()) {
    const auto rewrite = row.forward(source, statement);
    const auto lines = rewrite ? lines_around(source, rewrite->range) : std::nullopt;
    if (!lines || cursor < lines->begin || cursor > lines->end) continue;
    const auto same = [&](const RefactorPlace& other) {
      return other.range == *lines && other.refactoring == row.name;
    };
    if (std::ranges::any_of(places, same)) continue;
    places.push_back({*lines, std::string(row.name), fmt::format("Refactor: {}", row.title)});
  }
}

std::string_view statements_of(std::string_view prompt) {
  prompt.remove_prefix(std::min(prompt.find('\n') + 1, prompt.size()));
  return prompt.ends_with(kAfter) ? prompt.substr(0, prompt.size() - kAfter.size()) : prompt;
}

}  // namespace

std::vector<RefactorPlace> find_refactorings(const Language& language, std::string_view text, std::size_t cursor) {
  const ByteRange window = statement_window(language, text, cursor);
  const std::string_view part = cut(text, window);
  const auto tree = SyntaxTree::parse(language, part);
  std::vector<RefactorPlace> places;
  if (!tree || cursor < window.begin) return places;
  cursor = into_code(part, std::min(cursor - window.begin, part.size()));
  for (Node node = tree->root().smallest({cursor, cursor}); !node.null(); node = node.parent()) {
    if (node.is("function_definition") || node.is("class_definition")) break;
    if (!is_statement(node)) continue;
    add_places(part, node, cursor, places);
    // A loop behind the statement may be what it begins.
    add_places(part, node.next_named(), cursor, places);
  }
  for (RefactorPlace& place : places) {
    place.range.begin += window.begin;
    place.range.end += window.begin;
  }
  return places;
}

std::string refactor_prompt(std::string_view refactoring, std::string_view statements) {
  const Refactoring* row = find_refactoring(refactoring);
  statements = statements.substr(0, statements.find_last_not_of("\r\n") + 1);
  return fmt::format("{}{}\n{}{}", kBefore, row == nullptr ? refactoring : row->title, statements, kAfter);
}

std::optional<std::string> parse_refactor_answer(const Language& language, std::string_view statements,
                                                 std::string_view answer) {
  std::string better = without_indentation(answer);
  const auto before = SyntaxTree::parse(language, statements);
  const auto after = SyntaxTree::parse(language, better);
  if (better.empty() || !before || !after || after->root().has_error()) return std::nullopt;
  if (same_code(language, statements, better)) return std::nullopt;
  const auto old = names_of(*before, statements), now = names_of(*after, better);
  const auto gone = [&](std::string_view name) {
    return !now.contains(name) && std::ranges::count(kGoneNames, name) == 0;
  };
  const auto fresh = [&](std::string_view name) {
    return !old.contains(name) && std::ranges::count(kNewNames, name) == 0;
  };
  if (std::ranges::any_of(old, gone) || std::ranges::any_of(now, fresh)) return std::nullopt;
  return better;
}

std::vector<TaskExample> refactor_examples(const Language& language, std::string_view source, Random& random) {
  std::vector<TaskExample> examples;
  const auto tree = SyntaxTree::parse(language, source, kSourceLimits);
  if (!tree) return examples;
  std::vector<std::vector<TaskExample>> of_row(refactorings().size());
  NodeCursor cursor(tree->root());
  do {
    const Node node = cursor.node();
    if (!is_statement(node) || node.has_error()) continue;
    for (std::size_t i = 0; i < of_row.size(); ++i) {
      const auto inverse = refactorings()[i].inverse(source, node, random);
      auto example = inverse ? example_of(language, source, refactorings()[i], *inverse) : std::nullopt;
      if (example) of_row[i].push_back(std::move(*example));
    }
  } while (cursor.next());
  for (auto& row : of_row) {
    for (std::size_t taken = 0; taken < kMostOfARow && !row.empty(); ++taken) {
      const auto at = row.begin() + static_cast<std::ptrdiff_t>(random.below(row.size()));
      examples.push_back(std::move(*at));
      row.erase(at);
    }
  }
  return examples;
}

// The same code as wanted; layout is free. Examples are of Python alone.
bool refactor_answer_correct(const TaskExample& wanted, std::string_view answer) {
  const Language& language = generation::language_for("python", "");
  const auto better = parse_refactor_answer(language, statements_of(wanted.prompt), answer);
  return better && same_code(language, *better, wanted.answer);
}

}  // namespace weft::adapters
