// A refactoring: the model rewrites the statements; the edit is worth nothing unless the document parses with it.
#include <utility>

#include "adapters/actions/action.h"
#include "adapters/actions/edits.h"

namespace weft::adapters {

using generation::GenerationResult;

void start_refactor(const ActionParts& parts, RequestId run, const InstalledAdapter& adapter,
                    const ScreenedDocument& document, const RefactorPlace& place, Done<TextEdit> done) {
  const std::size_t size = document.text->size();
  if (place.range.begin > place.range.end || place.range.end > size) {
    return done(make_error("range [{}, {}) is outside of {}, which has {} bytes", place.range.begin, place.range.end,
                           document.path, size));
  }
  const std::string_view code =
      std::string_view(*document.text).substr(place.range.begin, place.range.end - place.range.begin);
  if (!unmasked(parts, document, code)) {
    return done(make_error("the statements hold what looks like a key: weft leaves them alone"));
  }
  DedentedCode statements = dedent(code);
  const std::string prompt = refactor_prompt(place.refactoring, statements.text);
  auto request = request_of(parts, {task_row("refactor"), prompt, adapter.id});
  if (!request) return done(request.error());
  parts.runs->generate(
      run, std::move(*request),
      [document, place, statements = std::move(statements), done = std::move(done)](Expected<GenerationResult> result) {
        if (!result) return done(result.error());
        const auto rewritten = parse_refactor_answer(*document.language, statements.text, result->text);
        if (!rewritten) return done(make_error("{}: the model wrote nothing sound", place.refactoring));
        TextEdit edit{place.range, indent_like(statements, *rewritten)};
        if (!stays_sound(*document.language, *document.text, edit)) {
          return done(make_error("{}: the document would not parse with what the model wrote", place.refactoring));
        }
        done(std::move(edit));
      });
}

}  // namespace weft::adapters
