// Which rank of which group this process is, as its environment says, in the names that torchrun uses: RANK,
// LOCAL_RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT. Reads the environment only; thread-safe while nobody changes it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/base/expected.h"
#include "model/base/strong_id.h"

namespace weft::model {

struct RankPlace {
  Rank rank, local_rank;
  int world_size = 1;
  std::string folder;  // where the ranks meet; only their user can enter it
};

// Set by rank 0 for the processes that it starts itself: they are ranks and nothing else.
[[nodiscard]] bool started_as_rank();
// No value: the environment says nothing of ranks. Error: it says half of it, or nonsense.
Expected<std::optional<RankPlace>> rank_place();
// This process's environment, as NAME=VALUE, for a rank that rank 0 starts: with `place` in it and no older place.
[[nodiscard]] std::vector<std::string> environment_of(const RankPlace& place);

}  // namespace weft::model
