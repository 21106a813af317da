// The life of a rank that is not rank 0, and nothing else of its process: it joins its group, loads its slice, and does
// each step that rank 0 tells it until rank 0 is gone. What it does depends on those messages alone.
#pragma once

#include <optional>

namespace weft::model {

// First in main(): the exit code when rank 0 started this process as a rank, once it has lived; no value otherwise.
// `--tensor-parallel N` needs it of the program that is given it.
std::optional<int> run_if_started_as_rank();

// For a program that a launcher such as torchrun starts `ranks` times: the exit code when the environment says that
// this process is another rank than 0.
std::optional<int> run_if_launched_as_rank(int ranks);

}  // namespace weft::model
