// TokenMemory: what the texts at hand (the open file, the project, the Python packages) say about the token that comes
// next. Where the last tokens stand elsewhere in them, what followed there is likely again. A snapshot: it does not
// change while a request uses it, so that a request's answer does not depend on when it was served. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/base/strong_id.h"

namespace weft::generation {

enum class MemorySource : std::uint8_t { kFile, kProject, kEnvironment };

struct Continuation {
  TokenId token;
  std::uint32_t count = 0;  // how often it followed
};

// What one source says: the longest end of the context that it has, and what followed it there.
struct Evidence {
  MemorySource source = MemorySource::kFile;
  std::size_t match_length = 0;             // tokens; at least one
  std::vector<Continuation> continuations;  // most frequent first, not empty
};

class TokenMemory {
 public:
  virtual ~TokenMemory() = default;
  // context: the tokens of the text before the one that is asked for, the last ones at least; of a prompt in whose
  // layout other tokens stand between the text before the cursor and the output, without these. Of each source that has
  // something one Evidence, in the order of MemorySource.
  [[nodiscard]] virtual std::vector<Evidence> look_up(std::span<const TokenId> context) const = 0;
};

}  // namespace weft::generation
