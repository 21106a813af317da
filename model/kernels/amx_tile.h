// AmxTile: what linear_amx_tile.h needs of tiles, which the instructions name by constants. Only for files that are
// compiled for AMX. kHalf is 0 or 1: sixteen rows of activations each, with a tile of sums and one of activations.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace weft::model {

#define WEFT_AMX static inline __attribute__((always_inline))

struct AmxTile {
  // 0, 1: sums. 2, 3: activations, 64 bytes of 16 rows. 4: weights, 16 rows of 64 bytes. 5, 6, 7: as 2, 3, 4 for half
  // as many columns.
  WEFT_AMX void configure() {
    struct alignas(64) {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 32, 32, 64};
      std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 8};
    } const shapes;
    _tile_loadconfig(&shapes);
    fence();
  }
  WEFT_AMX void release() { _tile_release(); }
  WEFT_AMX void load_weights(const std::byte* p) {
    fence();
    _tile_loadd(4, p, 64);
  }
  WEFT_AMX void load_half_weights(const std::byte* p) {
    fence();
    _tile_loadd(7, p, 64);
  }

  template <int kHalf>
  WEFT_AMX void load_sums(const float* p) {
    fence();
    if constexpr (kHalf == 0) {
      _tile_loadd(0, p, 64);
    } else {
      _tile_loadd(1, p, 64);
    }
  }
  template <int kHalf>
  WEFT_AMX void store_sums(void* p) {
    if constexpr (kHalf == 0) {
      _tile_stored(0, p, 64);
    } else {
      _tile_stored(1, p, 64);
    }
    fence();
  }

  // sums = x · weights, of int8
  template <int kHalf>
  WEFT_AMX void multiply_int8(const std::byte* x, std::int64_t stride) {
    if constexpr (kHalf == 0) {
      _tile_loadd(2, x, stride);
      _tile_zero(0);
      _tile_dpbssd(0, 2, 4);
    } else {
      _tile_loadd(3, x, stride);
      _tile_zero(1);
      _tile_dpbssd(1, 3, 4);
    }
  }
  // The same of 32 columns, with load_half_weights.
  template <int kHalf>
  WEFT_AMX void multiply_half_int8(const std::byte* x, std::int64_t stride) {
    if constexpr (kHalf == 0) {
      _tile_loadd(5, x, stride);
      _tile_zero(0);
      _tile_dpbssd(0, 5, 7);
    } else {
      _tile_loadd(6, x, stride);
      _tile_zero(1);
      _tile_dpbssd(1, 6, 7);
    }
  }
  // sums += x · weights, of bfloat16
  template <int kHalf>
  WEFT_AMX void add_bfloat16(const std::byte* x, std::int64_t stride) {
    if constexpr (kHalf == 0) {
      _tile_loadd(2, x, stride);
      _tile_dpbf16ps(0, 2, 4);
    } else {
      _tile_loadd(3, x, stride);
      _tile_dpbf16ps(1, 3, 4);
    }
  }

 private:
  // GCC's tile instructions do not say that they read and write memory.
  WEFT_AMX void fence() { __asm__ volatile("" ::: "memory"); }
};

}  // namespace weft::model
