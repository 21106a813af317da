// The probes' loop of AMX tiles. Compiled for them. The tiles are not cleared: no value of them takes longer.
#include "model/kernels/amx_tile.h"
#include "model/kernels/probe_loops.h"

namespace weft::model {
namespace {

void tile_loop(std::int64_t rounds) {
  AmxTile::configure();
  for (std::int64_t i = 0; i < rounds; ++i) {
    _tile_dpbssd(0, 2, 4);
    _tile_dpbssd(1, 3, 4);
  }
  AmxTile::release();
}

}  // namespace

void use_amx(ProbeLoops& loops) { loops.int8 = loops.int4 = {tile_loop, 2 * 16 * 16 * 64 * 2}; }

}  // namespace weft::model
