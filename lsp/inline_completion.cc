#include "lsp/inline_completion.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace weft::lsp {
namespace {

using generation::CompletionItem;
using generation::CompletionResult;

// What was chosen in the menu, in bytes of the client's text.
struct Selection {
  std::size_t begin = 0, end = 0;
  std::string text;
};

struct InlineContext {
  std::shared_ptr<const std::string> text;  // as the client has it
  PositionEncoding encoding = PositionEncoding::kUtf16;
  std::optional<Selection> selection;
};

Json range_json(const InlineContext& context, std::size_t begin, std::size_t end) {
  return to_json(
      Range{position_of(*context.text, begin, context.encoding), position_of(*context.text, end, context.encoding)});
}

// Editors show an item only if the text it replaces begins its filterText, or else its insertText.
Json item_json(const InlineContext& context, std::size_t begin, std::size_t end, std::string insert) {
  const std::string_view replaced = std::string_view(*context.text).substr(begin, end - begin);
  Json item = {{"range", range_json(context, begin, end)}};
  if (!insert.starts_with(replaced)) item["filterText"] = std::string(replaced);
  item["insertText"] = std::move(insert);
  return item;
}

// The item in terms of the client's text; nothing when it cannot stand on the selection's range.
std::optional<Json> render_item(const InlineContext& context, const CompletionItem& item) {
  if (!context.selection) return item_json(context, item.replace_begin, item.replace_end, item.text);
  const Selection& selection = *context.selection;
  // In the text that the model saw the selection's text stands at `begin` and the cursor behind it.
  const std::size_t cursor = selection.begin + selection.text.size();
  if (item.replace_begin < selection.begin || item.replace_begin > cursor || item.replace_end != cursor) {
    return std::nullopt;
  }
  const std::string kept = selection.text.substr(0, item.replace_begin - selection.begin);
  std::string insert = kept + item.text;
  if (!insert.starts_with(selection.text) || insert == selection.text) return std::nullopt;
  return item_json(context, selection.begin, selection.end, std::move(insert));
}

Json render(const InlineContext& context, const CompletionResult& result) {
  Json items = Json::array();
  for (const CompletionItem& item : result.items) {
    if (auto rendered = render_item(context, item)) items.push_back(std::move(*rendered));
  }
  return {{"items", std::move(items)}};
}

Expected<Selection> locate(const Document& document, const SelectedCompletion& selected, PositionEncoding encoding) {
  const std::size_t begin = offset_of(*document.text, selected.range.start, encoding);
  const std::size_t end = offset_of(*document.text, selected.range.end, encoding);
  if (selected.range.start.line != selected.range.end.line || end < begin) {
    return make_error("selectedCompletionInfo.range must stand on one line and end after it starts");
  }
  return Selection{begin, end, selected.text};
}

}  // namespace

Expected<CompletionJob> make_inline_job(const Document& document, const InlineCompletionParams& params,
                                        PositionEncoding encoding) {
  InlineContext context{document.text, encoding, std::nullopt};
  CompletionJob job;
  job.kind = OfferKind::kInline;
  job.uri = document.uri;
  job.position = params.place.position;
  job.request.document = {document.path, document.language, document.text, document.version};
  job.request.cursor = offset_of(*document.text, params.place.position, encoding);
  job.request.session = document.uri;
  job.request.trigger =
      params.trigger == InlineTrigger::kInvoked ? generation::Trigger::kInvoked : generation::Trigger::kAutomatic;
  if (params.selected) {
    auto selection = locate(document, *params.selected, encoding);
    if (!selection) return selection.error();
    std::string text = *document.text;
    text.replace(selection->begin, selection->end - selection->begin, selection->text);
    job.request.document.text = std::make_shared<const std::string>(std::move(text));
    job.request.cursor = selection->begin + selection->text.size();
    context.selection = std::move(*selection);
  }
  job.render = [context = std::move(context)](const CompletionResult& result) { return render(context, result); };
  return job;
}

}  // namespace weft::lsp
