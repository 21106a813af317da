// Where the machine's own Python library lies: real files for the benches. Main thread only.
#pragma once

#include <string>

#include "model/base/expected.h"

namespace weft::lsp {

// A standard-library file of about 500 lines from those kept out of the training data. Error: no python3, or no such
// file there.
Expected<std::string> find_bench_file();

}  // namespace weft::lsp
