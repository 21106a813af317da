// The files that completions are measured on. Any thread.
#pragma once

#include <string>
#include <vector>

#include "adapters/eval/completion_eval.h"
#include "model/base/expected.h"

namespace weft::adapters {

struct EvalFile {
  std::string path, text;
};

// At most max_files, evenly spaced over the sorted list when there are more. Left out: secret files, files over the
// limit, files that are not UTF-8. Error: none is left, or one cannot be read.
Expected<std::vector<EvalFile>> read_eval_files(const CompletionEvalOptions& options);

}  // namespace weft::adapters
