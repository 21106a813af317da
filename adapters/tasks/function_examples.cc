// function-from-comment's examples from real files, and what counts as the same function.
#include <algorithm>
#include <array>

#include "adapters/tasks/descriptions.h"
#include "adapters/tasks/examples.h"
#include "adapters/tasks/function_from_comment.h"
#include "adapters/tasks/function_place.h"
#include "adapters/tasks/lines.h"
#include "generation/syntax/functions.h"
#include "generation/syntax/node.h"

namespace weft::adapters {
namespace {

using generation::ByteRange;
using generation::FunctionParts;
using generation::Language;
using generation::Node;
using generation::SyntaxTree;

enum class Form { kDescription, kSignature, kDocumentedSignature };

std::string_view part(std::string_view text, ByteRange range) {
  return text.substr(range.begin, range.end - range.begin);
}

// Statements besides the docstring; empty when they only stand in for some.
std::string_view statements_of(std::string_view source, const FunctionParts& function) {
  const std::size_t begin = function.docstring ? function.docstring->end : function.signature.end;
  const std::string_view statements = trimmed(source.substr(begin, function.body.end - begin));
  constexpr std::array<std::string_view, 3> kNothing = {"pass", "...", ""};
  const bool nothing = std::ranges::count(kNothing, statements) > 0 || statements.starts_with("raise NotImplemented");
  return nothing ? "" : statements;
}

// The comment right above a function, at its indentation; empty where there is none.
ByteRange comment_above(std::string_view source, const FunctionParts& function) {
  const std::size_t end = from_line_begin(source, function.whole).begin;
  std::size_t begin = end;
  while (begin > 0) {
    const std::size_t line_begin = source.substr(0, begin - 1).rfind('\n') + 1;  // npos + 1: the text's beginning
    const std::string_view line = source.substr(line_begin, begin - line_begin);
    if (!trimmed(line).starts_with('#') || margin_of(line).size() != function.indentation) break;
    begin = line_begin;
  }
  return {begin, end};
}

// What the function is asked for by; empty where nobody has said what it does.
std::string description_of(std::string_view source, const FunctionParts& function, ByteRange comment) {
  std::string description = comment_text(part(source, comment));
  if (is_description(description)) return description;
  description = function.docstring ? first_sentence(part(source, *function.docstring)) : "";
  return is_description(description) ? description : "";
}

Form choose_form(const FunctionParts& function, bool described, Random& random) {
  const std::uint64_t draw = random.below(4);
  if (described && (draw < 2 || !function.docstring)) return Form::kDescription;
  return function.docstring && draw != 3 ? Form::kDocumentedSignature : Form::kSignature;
}

struct Wanted {
  FunctionRequestPlace place;
  std::string answer;
  ByteRange function;  // what of the source the two say together
};
Wanted wanted_of(std::string_view source, const FunctionParts& function, Form form, const std::string& description) {
  Wanted wanted;
  auto& place = wanted.place;
  const ByteRange whole = from_line_begin(source, function.whole);
  place.indentation = function.indentation;
  if (form == Form::kDescription) {
    place.description = description;
    place.context = context_before(source, comment_above(source, function).begin);
    wanted.answer = std::string(part(source, whole));
    wanted.function = whole;
    return wanted;
  }
  // Decorators are above the signature, and so in the context.
  const ByteRange head = from_line_begin(source, function.signature);
  const bool documented = form == Form::kDocumentedSignature;
  const std::size_t end = documented ? function.docstring->end : function.signature.end;
  place.signature = without_indentation(source.substr(head.begin, end - head.begin));
  place.context = context_before(source, head.begin);
  const std::string_view body = trimmed(source.substr(end, function.body.end - end));
  const auto begin = static_cast<std::size_t>(body.data() - source.data());
  wanted.answer = std::string(part(source, from_line_begin(source, {begin, function.body.end})));
  wanted.function = {head.begin, function.body.end};
  return wanted;
}

// What a prompt asks at its end: a comment, or a function's head.
FunctionRequestPlace place_of_prompt(std::string_view prompt) {
  FunctionRequestPlace place;
  const auto lines = lines_of(prompt);
  if (lines.empty()) return place;
  std::string_view head = lines.back();
  if (!trimmed(head).starts_with('#')) {
    const auto begins = [](std::string_view line) { return begins_function(line); };
    const auto found = std::ranges::find_if(lines.rbegin(), lines.rend(), begins);
    if (found == lines.rend()) return place;
    head = *found;
    place.signature = without_indentation(prompt.substr(static_cast<std::size_t>(head.data() - prompt.data())));
  }
  place.indentation = margin_of(head).size();
  return place;
}

// Without docstrings and comments, as far as the code goes.
std::string undocumented(const Language& language, std::string_view function) {
  const auto tree = SyntaxTree::parse(language, function);
  if (!tree) return "";
  std::string text(function);
  auto functions = functions_of(language, *tree, function);
  std::ranges::reverse(functions);
  for (const FunctionParts& parts : functions) {
    if (parts.docstring) text.replace(parts.docstring->begin, parts.docstring->end - parts.docstring->begin, "pass");
  }
  return text;
}

}  // namespace

std::vector<TaskExample> function_examples(const Language& language, std::string_view source, Random& random) {
  std::vector<TaskExample> examples;
  const auto tree = SyntaxTree::parse(language, source, kSourceLimits);
  if (!tree) return examples;
  for (const FunctionParts& function : functions_of(language, *tree, source)) {
    const std::string description = description_of(source, function, comment_above(source, function));
    const Form form = choose_form(function, !description.empty(), random);
    const bool without_context = function.indentation == 0 && random.below(2) == 0;
    const bool one_line =
        part(source, {function.signature.end, function.body.end}).find('\n') == std::string_view::npos;
    if (statements_of(source, function).empty() || (one_line && form != Form::kDescription)) continue;
    Wanted wanted = wanted_of(source, function, form, description);
    if (without_context) wanted.place.context.clear();
    const std::string prompt = function_prompt(wanted.place);
    if (most_tokens(prompt) > kFunctionPromptTokens || most_tokens(wanted.answer) > kFunctionAnswerTokens) continue;
    // What the editor would make of the wanted answer has to be the function.
    const ParsedFunction parsed = parse_function_answer(language, wanted.place, wanted.answer);
    const std::string code = without_indentation(part(source, wanted.function));
    if (!parsed.parses || !same_code(language, without_indentation(parsed.code), code)) continue;
    examples.push_back({prompt, wanted.answer, std::string(language_label(description))});
  }
  return examples;
}

// The same code; how it is documented and laid out is free. Examples are of Python alone.
bool function_answer_correct(const TaskExample& wanted, std::string_view answer) {
  const Language& language = generation::language_for("python", "");
  const FunctionRequestPlace place = place_of_prompt(wanted.prompt);
  const auto code = [&](std::string_view text) {
    return undocumented(language, without_indentation(parse_function_answer(language, place, text).code));
  };
  return same_code(language, code(wanted.answer), code(answer));
}

}  // namespace weft::adapters
