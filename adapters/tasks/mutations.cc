#include "adapters/tasks/mutations.h"

#include <algorithm>
#include <array>

#include "adapters/tasks/lines.h"
#include "adapters/tasks/mutation_rules.h"

namespace weft::adapters {
namespace {

using generation::ByteRange;
using generation::Language;
using generation::Node;
using generation::NodeCursor;
using generation::SyntaxTree;

constexpr int kTries = 12;

// Weights are thousands of fixes of that kind among a million single-statement fixes of Python projects (TSSB-3M's
// counts, where it has the kind); the rest are set beside their like.
constexpr auto kRules = std::to_array<MutationRule>({
    {"wrong-variable", 90, mutation::wrong_variable},
    {"missing-argument", 41, mutation::missing_argument},
    {"wrong-number", 33, mutation::wrong_number},
    {"missing-wrapper", 32, mutation::missing_wrapper},
    {"wrong-attribute", 30, mutation::wrong_attribute},
    {"wrong-function", 20, mutation::wrong_function},
    {"wrong-method", 19, mutation::wrong_method},
    {"missing-call", 17, mutation::missing_call},
    {"missing-condition", 16, mutation::missing_condition},
    {"wrong-boolean", 14, mutation::wrong_boolean},
    {"wrong-comparison", 12, mutation::wrong_comparison},
    {"missing-attribute", 10, mutation::missing_attribute},
    {"wrong-operator", 9, mutation::wrong_operator},
    {"negated-condition", 6, mutation::negated_condition},
    {"wrong-connective", 5, mutation::wrong_connective},
    {"missing-return", 5, mutation::missing_return},
    {"swapped-operands", 4, mutation::swapped_operands},
    {"swapped-arguments", 3, mutation::swapped_arguments},
    {"wrong-assignment", 3, mutation::wrong_assignment},
    {"identity-for-equality", 2, mutation::identity_for_equality},
    {"wrong-exception", 2, mutation::wrong_exception},
    {"wrong-jump", 1, mutation::wrong_jump},
    {"missing-await", 1, mutation::missing_await},
});

// What has no mistakes of these kinds: signatures, annotations, decorators, imports; and strings, which say what should
// be done. Code inside f-strings is code.
constexpr std::array<std::string_view, 7> kLeftOut = {
    "parameters", "type", "decorator", "import_statement", "import_from_statement", "comment", "string_content"};

bool left_out(const Node& node) {
  return std::ranges::any_of(kLeftOut, [&node](std::string_view kind) { return node.is(kind); });
}

void bind(FunctionView& view, const Node& target, std::size_t from) {
  if (target.is("identifier")) {
    const std::string_view name = target.text(view.text);
    if (std::ranges::find(view.variables, name, &Variable::name) == view.variables.end()) {
      view.variables.push_back({name, from});
    }
    return;
  }
  constexpr std::array<std::string_view, 6> kPatterns = {
      "pattern_list",     "tuple_pattern", "list_pattern", "list_splat_pattern", "dictionary_splat_pattern",
      "as_pattern_target"};
  if (std::ranges::none_of(kPatterns, [&target](std::string_view kind) { return target.is(kind); })) return;
  for (std::size_t i = 0; i < target.named_children(); ++i) bind(view, target.named_child(i), from);
}

void bind_parameters(FunctionView& view) {
  const Node parameters = view.function.field("parameters");
  for (std::size_t i = 0; i < parameters.named_children(); ++i) {
    const Node parameter = parameters.named_child(i);
    const Node name = parameter.field("name");
    const bool typed = parameter.is("typed_parameter");
    bind(view, !name.null() ? name : typed ? parameter.named_child(0) : parameter, parameter.end());
  }
}

void note(FunctionView& view, const Node& node, bool inner) {
  if (node.is("call") && node.field("function").is("identifier")) {
    const std::string_view name = node.field("function").text(view.text);
    if (std::ranges::count(view.callees, name) == 0) view.callees.push_back(name);
  }
  if (node.is("attribute")) view.attributes.push_back(node);
  if (inner) return;
  if (node.is("assignment")) bind(view, node.field("left"), node.end());
  if (node.is("for_statement")) bind(view, node.field("left"), node.field("right").end());
  if (node.is("as_pattern")) bind(view, node.field("alias"), node.end());
  if (node.is("named_expression")) bind(view, node.field("name"), node.end());
}

FunctionView view_of(const Node& function, std::string_view text) {
  FunctionView view{text, function, {}, {}, {}};
  bind_parameters(view);
  std::size_t inner_end = 0;
  NodeCursor cursor(function.field("body"));
  do {
    const Node node = cursor.node();
    const bool opens = node.is("function_definition") || node.is("lambda") || node.is("class_definition");
    if (opens) inner_end = std::max(inner_end, node.end());
    note(view, node, node.begin() < inner_end);
  } while (cursor.next());
  return view;
}

using Proposals = std::array<std::vector<Edit>, kRules.size()>;

Proposals proposals_of(const FunctionView& view) {
  Proposals proposals;
  NodeCursor cursor(view.function.field("body"));
  for (bool more = true; more;) {
    const Node node = cursor.node();
    const bool skipped = left_out(node);
    for (std::size_t i = 0; i < kRules.size() && !skipped; ++i) kRules[i].propose(view, node, proposals[i]);
    more = skipped ? cursor.skip() : cursor.next();
  }
  return proposals;
}

// An edit by the rules' weights, taken out of the proposals. Nothing: none are left.
struct Chosen {
  std::string_view rule;
  Edit edit;
};
std::optional<Chosen> take_one(Proposals& proposals, Random& random) {
  double all = 0;
  for (std::size_t i = 0; i < kRules.size(); ++i) all += proposals[i].empty() ? 0 : kRules[i].weight;
  double left = random.uniform() * all;
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    auto& edits = proposals[i];
    if (edits.empty()) continue;
    left -= kRules[i].weight;
    if (left >= 0) continue;
    const auto at = edits.begin() + static_cast<std::ptrdiff_t>(random.below(edits.size()));
    Chosen chosen{kRules[i].name, std::move(*at)};
    edits.erase(at);
    return chosen;
  }
  return std::nullopt;
}

// Nothing: the edit spans lines, changes nothing, or does not parse.
std::optional<Mutant> apply(const Language& language, std::string_view function, const Chosen& chosen) {
  const auto& [range, text] = chosen.edit;
  const std::string_view before = function.substr(range.begin, range.end - range.begin);
  if (before == text || before.find('\n') != before.npos || text.find('\n') != text.npos) return std::nullopt;
  Mutant mutant{chosen.rule, std::string(function), 0};
  mutant.text.replace(range.begin, before.size(), text);
  mutant.line = static_cast<std::size_t>(std::ranges::count(function.substr(0, range.begin), '\n'));
  return parses(language, mutant.text) ? std::optional(std::move(mutant)) : std::nullopt;
}

}  // namespace

std::span<const MutationRule> mutation_rules() { return kRules; }

std::optional<Mutant> mutate(const Language& language, std::string_view function, Random& random) {
  const auto tree = SyntaxTree::parse(language, function);
  if (!tree || tree->root().has_error() || tree->root().named_children() != 1) return std::nullopt;
  Node root = tree->root().named_child(0);
  if (root.is("decorated_definition")) root = root.field("definition");
  if (!root.is("function_definition")) return std::nullopt;
  auto proposals = proposals_of(view_of(root, function));
  for (int i = 0; i < kTries; ++i) {
    const auto chosen = take_one(proposals, random);
    if (!chosen) return std::nullopt;
    if (auto mutant = apply(language, function, *chosen)) return mutant;
  }
  return std::nullopt;
}

}  // namespace weft::adapters
