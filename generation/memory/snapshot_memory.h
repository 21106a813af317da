// The TokenMemory of one request: what the open file, the project and its Python environment said when it
// began. Thread-safe.
#pragma once

#include <memory>
#include <optional>

#include "generation/memory/environment_index.h"
#include "generation/memory/suffix_places.h"
#include "generation/memory/token_memory.h"

namespace weft::generation {

// A project as a request sees it, without the file that it is in.
struct ProjectText {
  std::shared_ptr<const SuffixPlaces> places;  // may be null
  std::optional<TextId> own;                   // the request's file in it
};

// file: FileMemory's; environment: EnvironmentMemory's. Both may be null.
[[nodiscard]] std::shared_ptr<const TokenMemory> make_memory(
    std::shared_ptr<const SuffixPlaces> file, ProjectText project,
    std::shared_ptr<const EnvironmentIndex> environment = nullptr);

}  // namespace weft::generation
