#include "lsp/protocol.h"

#include <utility>

namespace weft::lsp {
namespace {

constexpr std::int64_t kMaxUinteger = 2147483647;  // the protocol's uinteger

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

Expected<Json> read_cancel_id(const Json& params) {
  const Field id = root(params).at("id");
  if (!id.json().is_number_integer() && !id.json().is_string()) return id.wrong("an integer or a string");
  return id.json();
}

Json to_json(const Position& position) { return {{"line", position.line}, {"character", position.character}}; }

Json to_json(const Range& range) { return {{"start", to_json(range.start)}, {"end", to_json(range.end)}}; }

}  // namespace weft::lsp
