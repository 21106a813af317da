#include "lsp/code_action.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace weft::lsp {
namespace {

constexpr int kLlmGenerated = 1;  // CodeActionTag

const generation::Language* parsed_language(const Document& document) {
  const generation::Language* language = generation::find_language(document.language, document.path);
  const bool readable = language != nullptr && language->grammar != nullptr;
  return readable && document.text->size() <= generation::ParseLimits{}.limit_bytes ? language : nullptr;
}

// Tells texts of one session apart, not against an enemy: what is forged finds a place or none, like any position.
std::string hash_of(std::string_view text) { return fmt::format("{:016x}", std::hash<std::string_view>{}(text)); }

}  // namespace

bool wants_kind(const CodeActionParams& params, std::string_view kind) {
  if (!params.only) return true;
  return std::any_of(params.only->begin(), params.only->end(), [&](const std::string& wanted) {
    return wanted.empty() || kind == wanted || (kind.starts_with(wanted) && kind[wanted.size()] == '.');
  });
}

std::vector<OfferedAction> list_actions(const Document& document, Position position, PositionEncoding encoding,
                                        Abilities abilities) {
  std::vector<OfferedAction> out;
  const generation::Language* language = parsed_language(document);
  if (language == nullptr) return out;
  const std::string_view text = *document.text;
  const std::size_t cursor = offset_of(text, position, encoding);
  ActionData data{ActionKind::kGenerateFunction, document.uri, document.version, {}, position, {}};
  if (abilities.generate) {
    if (auto place = adapters::find_function_request(*language, text, cursor)) out.push_back({place->title, data});
  }
  if (abilities.refactor) {
    data.kind = ActionKind::kRefactor;
    for (const adapters::RefactorPlace& place : adapters::find_refactorings(*language, text, cursor)) {
      data.refactoring = place.refactoring;
      out.push_back({place.title, data});
    }
  }
  if (out.empty()) return out;
  const std::string hash = hash_of(text);
  for (OfferedAction& action : out) action.data.text_hash = hash;
  return out;
}

Expected<std::variant<ActionPlace, StaleAction>> find_place(const Document& document, const ActionData& data,
                                                            PositionEncoding encoding) {
  using Found = std::variant<ActionPlace, StaleAction>;
  if (document.version != data.version || hash_of(*document.text) != data.text_hash) return Found(StaleAction{});
  const Error none =
      make_error("{}: nothing to do at {}:{}", document.path, data.position.line + 1, data.position.character + 1);
  const generation::Language* language = parsed_language(document);
  if (language == nullptr) return none;
  const std::size_t cursor = offset_of(*document.text, data.position, encoding);
  if (data.kind == ActionKind::kGenerateFunction) {
    auto place = adapters::find_function_request(*language, *document.text, cursor);
    if (!place) return none;
    return Found(ActionPlace(std::move(*place)));
  }
  for (adapters::RefactorPlace& place : adapters::find_refactorings(*language, *document.text, cursor)) {
    if (place.refactoring == data.refactoring) return Found(ActionPlace(std::move(place)));
  }
  return none;
}

Json to_json(const OfferedAction& action, const ClientCapabilities& client) {
  const CodeActionSupport& support = client.code_action;
  const bool resolves = support.literals && support.resolves_edits;
  if (!resolves && !client.applies_edits) return nullptr;
  Json data = to_json(action.data);
  const Json command = {
      {"title", action.title}, {"command", kApplyCommand}, {"arguments", Json::array({std::move(data)})}};
  if (!support.literals) return command;
  Json out = {{"title", action.title}, {"kind", kRewriteKind}};
  if (support.generated_tag) out["tags"] = {kLlmGenerated};
  if (resolves) {
    out["data"] = command.at("arguments").at(0);
  } else {
    out["command"] = command;
  }
  return out;
}

}  // namespace weft::lsp
