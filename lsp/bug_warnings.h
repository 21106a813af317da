// Warnings of possible bugs, as values: what has to be looked at again after an edit, which warnings outlive one, and
// how they are written in the client's terms. Offsets are bytes of the named text. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "adapters/actions/actions.h"
#include "generation/syntax/tree.h"
#include "lsp/document_store.h"
#include "lsp/protocol.h"

namespace weft::lsp {

// The one stretch that differs, between the longest common beginning and end. Equal texts: both empty.
struct Difference {
  generation::ByteRange before, after;
};
[[nodiscard]] Difference difference(std::string_view before, std::string_view after);

struct CarriedOver {
  std::vector<adapters::Bug> bugs;
  bool look_different = false;  // one is gone, or stands on another line or column
};
// The warnings of `before` whose lines stand in `after` as they were, at their new places.
[[nodiscard]] CarriedOver carry_over(std::vector<adapters::Bug> bugs, std::string_view before, std::string_view after);

struct CheckPlan {
  generation::ByteRange changed;               // for find_bugs; empty: every function
  std::vector<generation::ByteRange> checked;  // whose verdicts are made anew
};
// What to look at in `now` when `before` has been looked at; without `before`, everything. Nothing: no function
// changed. Error: the text cannot be parsed.
Expected<std::optional<CheckPlan>> plan_check(const generation::Language& language,
                                              std::optional<std::string_view> before, std::string_view now);

// A Diagnostic, and the CodeAction that does what it says; null where there is no fix.
[[nodiscard]] Json diagnostic_json(const adapters::Bug& bug, std::string_view text, PositionEncoding encoding);
// `client_diagnostics`: what the client shows in the range. The one that the fix is for goes back as the client sent
// it, so that it recognises it.
[[nodiscard]] Json quick_fix_json(const adapters::Bug& bug, const Document& document, PositionEncoding encoding,
                                  const ClientCapabilities& client, const Json& client_diagnostics);

}  // namespace weft::lsp
