#include "lsp/popup_completion.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace weft::lsp {
namespace {

using generation::CompletionItem;
using generation::CompletionResult;

constexpr int kKindText = 1;    // CompletionItemKind.Text
constexpr int kInsertAsIs = 1;  // InsertTextMode.asIs: the text has its indentation already
constexpr int kPlainText = 1;   // InsertTextFormat.PlainText

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::size_t word_begin(std::string_view text, std::size_t cursor) {
  while (cursor > 0 && in_word(text[cursor - 1])) --cursor;
  return cursor;
}

struct PopupContext {
  std::shared_ptr<const std::string> text;
  PositionEncoding encoding = PositionEncoding::kUtf16;
  std::size_t cursor = 0;
};

Json render_item(const PopupContext& context, const CompletionItem& item, std::size_t index) {
  const std::string_view text = *context.text;
  const std::size_t begin = std::min(word_begin(text, context.cursor), item.replace_begin);
  const std::string insert = std::string(text.substr(begin, item.replace_begin - begin)) + item.text;
  const std::string first_line = insert.substr(0, insert.find_first_of("\r\n"));
  const bool more = first_line.size() < insert.size();
  const Range range{position_of(text, begin, context.encoding), position_of(text, item.replace_end, context.encoding)};
  Json out = {{"label", more ? first_line + " …" : first_line},
              {"kind", kKindText},
              {"detail", "weft"},
              {"sortText", fmt::format("{:04}", index)},
              {"filterText", first_line},
              {"insertTextFormat", kPlainText},
              {"insertTextMode", kInsertAsIs},
              {"textEdit", {{"range", to_json(range)}, {"newText", insert}}}};
  if (more) out["documentation"] = insert;
  return out;
}

Json render(const PopupContext& context, const CompletionResult& result) {
  Json items = Json::array();
  for (std::size_t i = 0; i < result.items.size(); ++i) items.push_back(render_item(context, result.items[i], i));
  return {{"isIncomplete", true}, {"items", std::move(items)}};
}

}  // namespace

CompletionJob make_popup_job(const Document& document, const TextDocumentPosition& place, PositionEncoding encoding) {
  PopupContext context{document.text, encoding, offset_of(*document.text, place.position, encoding)};
  CompletionJob job;
  job.kind = OfferKind::kPopup;
  job.uri = document.uri;
  job.position = place.position;
  job.request.document = {document.path, document.language, document.text, document.version};
  job.request.cursor = context.cursor;
  job.request.session = document.uri;
  job.request.trigger = generation::Trigger::kAutomatic;  // editors ask at every key: one good offer, soon
  job.render = [context](const CompletionResult& result) { return render(context, result); };
  job.withdrawn = job.render({});
  return job;
}

}  // namespace weft::lsp
