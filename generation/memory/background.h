// What a memory's own thread does first.
#pragma once

namespace weft::generation {

// Of the calling thread: from now on it computes, and reads the disk, when nobody else wants to. Where the system has
// no such thing it is as all others.
void yield_to_others();

}  // namespace weft::generation
