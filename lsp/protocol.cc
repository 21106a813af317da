#include "lsp/protocol.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lsp/uri.h"

namespace weft::lsp {
namespace {

constexpr std::int64_t kMaxUinteger = 2147483647;  // the protocol's uinteger
constexpr int kLlmGenerated = 1;                   // CodeActionTag

// A field to read, with the way to it for messages. Absent fields read as null.
class Field {
 public:
  Field(const Json& json, std::string path) : json_(&json), path_(std::move(path)) {}

  [[nodiscard]] Field at(const char* key) const {
    static const Json kNull;
    const std::string path = path_ + "." + key;
    if (!json_->is_object()) return {kNull, path};
    const auto found = json_->find(key);
    return {found == json_->end() ? kNull : *found, path};
  }
  [[nodiscard]] const Json& json() const { return *json_; }
  [[nodiscard]] bool absent() const { return json_->is_null(); }
  [[nodiscard]] bool is_true() const { return json_->is_boolean() && json_->get<bool>(); }

  [[nodiscard]] Expected<std::string> string() const {
    if (!json_->is_string()) return wrong("a string");
    return json_->get<std::string>();
  }
  [[nodiscard]] Expected<std::int64_t> integer() const {
    if (!json_->is_number_integer()) return wrong("an integer");
    if (json_->is_number_unsigned() && json_->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
      return wrong("a smaller integer");
    }
    return json_->get<std::int64_t>();
  }
  [[nodiscard]] Expected<std::uint32_t> uinteger() const {
    const auto value = integer();
    if (!value) return value.error();
    if (*value < 0 || *value > kMaxUinteger) return wrong("between 0 and 2147483647");
    return static_cast<std::uint32_t>(*value);
  }
  [[nodiscard]] Error wrong(const char* expected) const {
    return make_error("{} must be {}{}", path_, expected, absent() ? " and is missing" : "");
  }

 private:
  const Json* json_;
  std::string path_;
};

Expected<Position> read_position(const Field& field) {
  const auto line = field.at("line").uinteger();
  if (!line) return line.error();
  const auto character = field.at("character").uinteger();
  if (!character) return character.error();
  return Position{*line, *character};
}

Expected<Range> read_range(const Field& field) {
  const auto start = read_position(field.at("start"));
  if (!start) return start.error();
  const auto end = read_position(field.at("end"));
  if (!end) return end.error();
  return Range{*start, *end};
}

Expected<ContentChange> read_change(const Field& field) {
  ContentChange change;
  auto text = field.at("text").string();
  if (!text) return text.error();
  change.text = std::move(*text);
  if (const Field range = field.at("range"); !range.absent()) {
    const auto read = read_range(range);
    if (!read) return read.error();
    change.range = *read;
  }
  return change;
}

Field root(const Json& params) { return {params, "params"}; }

bool holds(const Json& array, const Json& value) {
  return array.is_array() && std::find(array.begin(), array.end(), value) != array.end();
}

CodeActionSupport read_code_action_support(const Field& client) {
  CodeActionSupport out;
  out.literals = client.at("codeActionLiteralSupport").json().is_object();
  out.resolves_edits =
      client.at("dataSupport").is_true() && holds(client.at("resolveSupport").at("properties").json(), "edit");
  out.preferred = client.at("isPreferredSupport").is_true();
  out.generated_tag = holds(client.at("tagSupport").at("valueSet").json(), kLlmGenerated);
  return out;
}

Expected<std::vector<std::string>> read_strings(const Field& field) {
  std::vector<std::string> out;
  if (!field.json().is_array()) return field.wrong("an array of strings");
  for (const Json& item : field.json()) {
    if (!item.is_string()) return field.wrong("an array of strings");
    out.push_back(item.get<std::string>());
  }
  return out;
}

constexpr std::array<std::pair<ActionKind, const char*>, 2> kActionKinds = {
    {{ActionKind::kGenerateFunction, "generate-function"}, {ActionKind::kRefactor, "refactor"}}};

}  // namespace

Expected<ClientCapabilities> read_client_capabilities(const Json& initialize_params) {
  const Field capabilities = root(initialize_params).at("capabilities");
  if (!capabilities.json().is_object()) return capabilities.wrong("an object");
  ClientCapabilities out;
  const Json& encodings = capabilities.at("general").at("positionEncodings").json();
  if (encodings.is_array()) {
    for (const Json& encoding : encodings) {
      if (encoding.is_string()) out.position_encodings.push_back(encoding.get<std::string>());
    }
  }
  out.work_done_progress = capabilities.at("window").at("workDoneProgress").is_true();
  const Field workspace = capabilities.at("workspace");
  out.document_changes = workspace.at("workspaceEdit").at("documentChanges").is_true();
  out.applies_edits = workspace.at("applyEdit").is_true();
  out.watches_files = workspace.at("didChangeWatchedFiles").at("dynamicRegistration").is_true();
  out.code_action = read_code_action_support(capabilities.at("textDocument").at("codeAction"));
  return out;
}

Expected<ClientOptions> read_client_options(const Json& initialize_params) {
  ClientOptions out;
  const Field enabled = root(initialize_params).at("initializationOptions").at("diagnostics").at("enabled");
  if (enabled.absent()) return out;
  if (!enabled.json().is_boolean()) return enabled.wrong("true or false");
  out.diagnostics = enabled.json().get<bool>();
  return out;
}

Expected<TextDocumentItem> read_did_open(const Json& params) {
  const Field document = root(params).at("textDocument");
  auto uri = document.at("uri").string();
  if (!uri) return uri.error();
  auto language = document.at("languageId").string();
  if (!language) return language.error();
  const auto version = document.at("version").integer();
  if (!version) return version.error();
  auto text = document.at("text").string();
  if (!text) return text.error();
  return TextDocumentItem{std::move(*uri), std::move(*language), *version, std::move(*text)};
}

Expected<DidChangeParams> read_did_change(const Json& params) {
  const Field document = root(params).at("textDocument");
  DidChangeParams out;
  auto uri = document.at("uri").string();
  if (!uri) return uri.error();
  out.uri = std::move(*uri);
  const auto version = document.at("version").integer();
  if (!version) return version.error();
  out.version = *version;
  const Field changes = root(params).at("contentChanges");
  if (!changes.json().is_array()) return changes.wrong("an array");
  for (const Json& json : changes.json()) {
    auto change = read_change({json, "params.contentChanges[]"});
    if (!change) return change.error();
    out.changes.push_back(std::move(*change));
  }
  return out;
}

Expected<std::string> read_text_document_uri(const Json& params) {
  return root(params).at("textDocument").at("uri").string();
}

Expected<TextDocumentPosition> read_text_document_position(const Json& params) {
  auto uri = read_text_document_uri(params);
  if (!uri) return uri.error();
  const auto position = read_position(root(params).at("position"));
  if (!position) return position.error();
  return TextDocumentPosition{std::move(*uri), *position};
}

Expected<ExplainParams> read_explain(const Json& params) {
  auto uri = read_text_document_uri(params);
  if (!uri) return uri.error();
  if (root(params).at("position").absent()) return ExplainParams{std::move(*uri), std::nullopt};
  const auto position = read_position(root(params).at("position"));
  if (!position) return position.error();
  return ExplainParams{std::move(*uri), *position};
}

Expected<std::vector<std::string>> read_watched_files(const Json& params) {
  std::vector<std::string> uris;
  const Field changes = root(params).at("changes");
  if (!changes.json().is_array()) return changes.wrong("an array");
  for (const Json& change : changes.json()) {
    auto uri = root(change).at("uri").string();
    if (!uri) return uri.error();
    uris.push_back(*std::move(uri));
  }
  return uris;
}

std::vector<std::string> read_roots(const Json& initialize_params) {
  std::vector<std::string> uris, paths;
  const Json& folders = root(initialize_params).at("workspaceFolders").json();
  for (const Json& folder : folders.is_array() ? folders : Json::array()) {
    if (auto uri = root(folder).at("uri").string()) uris.push_back(*std::move(uri));
  }
  if (auto uri = root(initialize_params).at("rootUri").string(); uri && uris.empty()) uris.push_back(*std::move(uri));
  for (const std::string& uri : uris) {
    auto path = path_of_uri(uri);
    if (!path) continue;
    while (path->ends_with('/')) path->pop_back();
    paths.push_back(*std::move(path));
  }
  return paths;
}

Expected<InlineCompletionParams> read_inline_completion(const Json& params) {
  InlineCompletionParams out;
  auto place = read_text_document_position(params);
  if (!place) return place.error();
  out.place = std::move(*place);
  const Field context = root(params).at("context");
  if (context.absent()) return out;  // older clients leave it out: as if automatic
  const auto trigger = context.at("triggerKind").integer();
  if (!trigger) return trigger.error();
  if (*trigger != 1 && *trigger != 2) return context.at("triggerKind").wrong("1 or 2");
  out.trigger = static_cast<InlineTrigger>(*trigger);
  const Field selected = context.at("selectedCompletionInfo");
  if (selected.absent()) return out;
  const auto range = read_range(selected.at("range"));
  if (!range) return range.error();
  auto text = selected.at("text").string();
  if (!text) return text.error();
  out.selected = SelectedCompletion{*range, std::move(*text)};
  return out;
}

Expected<CodeActionParams> read_code_action(const Json& params) {
  CodeActionParams out;
  auto uri = read_text_document_uri(params);
  if (!uri) return uri.error();
  out.uri = std::move(*uri);
  const auto range = read_range(root(params).at("range"));
  if (!range) return range.error();
  out.range = *range;
  const Field context = root(params).at("context");
  if (const Field only = context.at("only"); !only.absent()) {
    auto kinds = read_strings(only);
    if (!kinds) return kinds.error();
    out.only = std::move(*kinds);
  }
  if (const Field trigger = context.at("triggerKind"); !trigger.absent()) {
    const auto kind = trigger.integer();
    if (!kind) return kind.error();
    if (*kind != 1 && *kind != 2) return trigger.wrong("1 or 2");
    out.automatic = *kind == 2;
  }
  if (const Field diagnostics = context.at("diagnostics"); !diagnostics.absent()) {
    if (!diagnostics.json().is_array()) return diagnostics.wrong("an array");
    out.diagnostics = diagnostics.json();
  }
  return out;
}

Expected<ActionData> read_action_data(const Json& data) {
  const Field field(data, "data");
  ActionData out;
  const auto kind = field.at("action").string();
  if (!kind) return kind.error();
  const auto row =
      std::find_if(kActionKinds.begin(), kActionKinds.end(), [&](auto& row) { return row.second == *kind; });
  if (row == kActionKinds.end()) return field.at("action").wrong("'generate-function' or 'refactor'");
  out.kind = row->first;
  auto uri = field.at("uri").string();
  if (!uri) return uri.error();
  out.uri = std::move(*uri);
  const auto version = field.at("version").integer();
  if (!version) return version.error();
  out.version = *version;
  auto hash = field.at("text").string();
  if (!hash) return hash.error();
  out.text_hash = std::move(*hash);
  const auto position = read_position(field.at("position"));
  if (!position) return position.error();
  out.position = *position;
  if (out.kind == ActionKind::kRefactor) {
    auto refactoring = field.at("refactoring").string();
    if (!refactoring) return refactoring.error();
    out.refactoring = std::move(*refactoring);
  }
  return out;
}

Expected<ExecuteCommandParams> read_execute_command(const Json& params) {
  ExecuteCommandParams out;
  auto command = root(params).at("command").string();
  if (!command) return command.error();
  out.command = std::move(*command);
  if (const Field arguments = root(params).at("arguments"); !arguments.absent()) {
    if (!arguments.json().is_array()) return arguments.wrong("an array");
    out.arguments = arguments.json();
  }
  return out;
}

Json read_progress_token(const Json& params, const char* key) {
  const Json& token = root(params).at(key).json();
  return token.is_string() || token.is_number_integer() ? token : Json(nullptr);
}

Expected<Json> read_cancel_id(const Json& params) {
  const Field id = root(params).at("id");
  if (!id.json().is_number_integer() && !id.json().is_string()) return id.wrong("an integer or a string");
  return id.json();
}

Json to_json(const Position& position) { return {{"line", position.line}, {"character", position.character}}; }

Json to_json(const Range& range) { return {{"start", to_json(range.start)}, {"end", to_json(range.end)}}; }

Json to_json(const ActionData& data) {
  const auto row =
      std::find_if(kActionKinds.begin(), kActionKinds.end(), [&](auto& row) { return row.first == data.kind; });
  Json out = {{"action", row->second},
              {"uri", data.uri},
              {"version", data.version},
              {"text", data.text_hash},
              {"position", to_json(data.position)}};
  if (data.kind == ActionKind::kRefactor) out["refactoring"] = data.refactoring;
  return out;
}

}  // namespace weft::lsp
