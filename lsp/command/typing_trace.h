// Recorded typing: what editors sent while someone typed in them, to be sent again. Pure but for the two functions that
// read files.
//
// A trace is JSON lines as `weftd --record` writes them: {"time_ms", "from", "body"}. The body may also stand there as
// JSON in place of a string, "from" may be missing (the client), and "editor", counted from 0, tells the clients of one
// clock apart. What the server sent, and what the client answered it, is passed over, and so is a line without a body.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/json_rpc.h"
#include "model/base/expected.h"

namespace weft::lsp {

struct TraceEvent {
  double at_ms = 0;
  Json body;  // a request or a notification
};

// What one editor sent, in order of time; `initialize` is the first.
struct TypingStream {
  std::string name;  // of the trace, with ".N" behind it where the trace has several editors
  std::vector<TraceEvent> events;
};

struct TypingTrace {
  std::string name;
  std::vector<TypingStream> editors;  // of one clock; at least one
};

// Errors name the line: no JSON, no time, an editor that does not begin with `initialize`, nothing that is typed.
Expected<TypingTrace> parse_trace(const std::string& name, std::string_view lines);
// `file`: a path, or the name of a shipped trace.
Expected<TypingTrace> read_trace(const std::string& file);
// Of the traces that come with weft, sorted: installed beside the program, or in the checkout it was built in.
Expected<std::vector<std::string>> shipped_traces();

// Time in which no editor of the trace sends anything is cut to `limit_ms`.
void cut_pauses(TypingTrace& trace, double limit_ms);

// An inline completion that is asked for after a change of its document since the last one was: a key.
[[nodiscard]] std::size_t count_keys(const TypingStream& stream);
// Keeps what comes before the next key.
void keep_keys(TypingStream& stream, std::size_t keys);

}  // namespace weft::lsp
