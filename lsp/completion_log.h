// CompletionLog: the last requests for completions and what became of each, for `weft/explain`. I/O thread only.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "generation/completion/completion.h"
#include "lsp/json_rpc.h"
#include "lsp/position.h"
#include "model/base/expected.h"

namespace weft::lsp {

enum class OfferKind { kInline, kPopup };

struct AskedCompletion {
  std::string uri;
  Position position;
  OfferKind kind = OfferKind::kInline;
  generation::Trigger trigger = generation::Trigger::kAutomatic;
  std::int64_t version = 0;
};

class CompletionLog {
 public:
  using Key = std::uint64_t;

  void asked(Key key, AskedCompletion request);
  // How the client was answered; the first one counts. Forgotten keys are ignored, here and below.
  void ended(Key key, std::string_view outcome);
  // What came of the model, also after the client has been answered otherwise.
  void answered(Key key, const generation::CompletionResult& result);
  void failed(Key key, const Error& error);

  // Of the last request about the document, at that position if there is one. Null: none is known.
  [[nodiscard]] Json explain(std::string_view uri, std::optional<Position> position) const;

 private:
  struct Entry {
    Key key;
    AskedCompletion request;
    std::string outcome, error;
    std::optional<generation::CompletionResult> result;
  };
  [[nodiscard]] Entry* find(Key key);
  std::list<Entry> entries_;  // newest first
};

}  // namespace weft::lsp
