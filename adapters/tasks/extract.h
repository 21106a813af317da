// `weft data extract`: the examples of a task from folders of code, a JSON object a line: prompt, answer, label, and
// pair where examples belong together. What the secret rules and the licence filter leave out is left out here too. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/data/collect.h"
#include "adapters/tasks/task.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"

namespace weft::adapters {

struct ExtractOptions {
  std::vector<std::string> sources;  // folders
  std::string task;                  // a name of the table
  std::string out;                   // file
  std::size_t limit = 0;             // examples at most; 0: all
  std::uint64_t seed = 1;            // of mutations and choices; each file's are its own
  CollectOptions collect;
};

struct ExtractReport {
  std::size_t files = 0;      // looked at
  std::size_t documents = 0;  // of them kept
  std::size_t masked = 0;     // pieces of text that looked like keys
  std::size_t examples = 0;
  std::map<std::string, std::size_t> labels;   // examples of each
  std::map<std::string, std::size_t> dropped;  // reason -> files; "nothing to learn from" among them
};

// `done` and `all`: files so far and in the folder at hand.
using ExtractProgress = std::function<void(std::size_t done, std::size_t all)>;

// Errors: an unknown task (names the known ones), no such folder, no example at all (says what was dropped and why), a
// file that cannot be written, "cancelled". The file appears whole or not at all.
Expected<ExtractReport> extract(const ExtractOptions& options, const ExtractProgress& progress,
                                const CancelFlag& cancel);
[[nodiscard]] std::string to_json(const ExtractReport& report);

// One line of such a file, without the line end; and back. Error: names what is missing.
[[nodiscard]] std::string to_json_line(const TaskExample& example);
[[nodiscard]] Expected<TaskExample> parse_json_line(std::string_view line);
// A whole file. Errors: unreadable, a line that is no example, by its number.
Expected<std::vector<TaskExample>> read_examples(const std::string& path);

}  // namespace weft::adapters
