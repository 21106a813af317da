#include "lsp/workspace_edit.h"

#include <string_view>
#include <utility>

namespace weft::lsp {
namespace {

bool ends_lines_with_crlf(std::string_view text) {
  const std::size_t end = text.find('\n');
  return end != std::string_view::npos && end > 0 && text[end - 1] == '\r';
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

}  // namespace

Json to_json(const adapters::TextEdit& edit, std::string_view text, PositionEncoding encoding) {
  const Range range{position_of(text, edit.range.begin, encoding), position_of(text, edit.range.end, encoding)};
  return {{"range", to_json(range)}, {"newText", ends_lines_with_crlf(text) ? with_crlf(edit.text) : edit.text}};
}

Json workspace_edit(const Document& document, Json text_edit, const ClientCapabilities& client) {
  Json edits = Json::array({std::move(text_edit)});
  if (!client.document_changes) return {{"changes", {{document.uri, std::move(edits)}}}};
  const Json versioned = {{"uri", document.uri}, {"version", document.version}};
  return {{"documentChanges", Json::array({{{"textDocument", versioned}, {"edits", std::move(edits)}}})}};
}

}  // namespace weft::lsp
