// `weft data inspect`: what is in a file of examples or in a folder of packed text. Pure but for the files.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "model/base/expected.h"

namespace weft::adapters {

struct InspectOptions {
  std::string path;         // a file that `weft data extract` wrote, or a folder that `weft data pack` wrote
  std::size_t samples = 3;  // spread over the whole
};

struct InspectReport {
  std::string kind;                           // "examples", "packed"
  std::map<std::string, std::size_t> counts;  // examples, pairs, bytes; or documents and tokens of each part
  std::map<std::string, std::size_t> labels;  // of examples
  std::vector<std::string> samples;           // prompt and answer, or the beginning of a document
};

// Errors: no such file or folder, a broken line or part.
Expected<InspectReport> inspect(const InspectOptions& options);
[[nodiscard]] std::string to_json(const InspectReport& report);

}  // namespace weft::adapters
