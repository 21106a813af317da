// The files that completions are measured on. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/eval/completion_eval.h"
#include "model/base/expected.h"

namespace weft::adapters {

struct EvalFile {
  std::string path, text;
  std::string_view language{};  // by the extension: "python", "javascript" (TypeScript too), "cpp"
  std::string project{};        // the folder below the directory that the file is in, or the directory itself
};

// Of the languages above, in sorted order, or options.files; at most max_files, evenly spaced over them when there are
// more. Left out: secret files, files over the limit, files that are not UTF-8. Error: none is left, or one cannot be
// read.
Expected<std::vector<EvalFile>> read_eval_files(const CompletionEvalOptions& options);

}  // namespace weft::adapters
