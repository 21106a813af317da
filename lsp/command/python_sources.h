// Where the machine's own Python library lies: real files for the benches. Main thread only.
#pragma once

#include <string>
#include <vector>

#include "model/base/expected.h"

namespace weft::lsp {

// `count` standard-library files from those kept out of the training data, the first of about 500 lines. Error: no
// python3, or too few such files there.
Expected<std::vector<std::string>> find_bench_files(std::size_t count);

}  // namespace weft::lsp
