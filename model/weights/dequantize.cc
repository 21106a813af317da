#include "model/weights/dequantize.h"

#include <cstring>

#include "model/base/check.h"
#include "model/weights/half.h"

namespace weft::model {
namespace {

using Bytes = const std::uint8_t*;

float half_at(Bytes at) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, at, sizeof bits);
  return to_float(static_cast<Half>(bits));
}

// Blocks of 32: a scale, a least value where there is one, the fifth bits where there are some, then the low four bits
// of value i in the lower half of byte i, those of value i + 16 in its upper half.
constexpr int kSmall = 32;

void decode_q8_0(Bytes block, float* out) {
  const float scale = half_at(block);
  for (int i = 0; i < kSmall; ++i) out[i] = static_cast<float>(static_cast<std::int8_t>(block[2 + i])) * scale;
}

void decode_q4_0(Bytes block, float* out) {
  const float scale = half_at(block);
  const Bytes low = block + 2;
  for (int i = 0; i < kSmall / 2; ++i) {
    out[i] = scale * static_cast<float>((low[i] & 15) - 8);
    out[i + kSmall / 2] = scale * static_cast<float>((low[i] >> 4) - 8);
  }
}

void decode_q4_1(Bytes block, float* out) {
  const float scale = half_at(block), least = half_at(block + 2);
  const Bytes low = block + 4;
  for (int i = 0; i < kSmall / 2; ++i) {
    out[i] = scale * static_cast<float>(low[i] & 15) + least;
    out[i + kSmall / 2] = scale * static_cast<float>(low[i] >> 4) + least;
  }
}

int fifth_bit(std::uint32_t bits, int i) { return static_cast<int>((bits >> static_cast<unsigned>(i)) & 1U) << 4; }

void decode_q5_0(Bytes block, float* out) {
  const float scale = half_at(block);
  std::uint32_t fifth = 0;
  std::memcpy(&fifth, block + 2, sizeof fifth);
  const Bytes low = block + 6;
  for (int i = 0; i < kSmall / 2; ++i) {
    const int upper = i + kSmall / 2;
    out[i] = scale * static_cast<float>(((low[i] & 15) | fifth_bit(fifth, i)) - 16);
    out[upper] = scale * static_cast<float>(((low[i] >> 4) | fifth_bit(fifth, upper)) - 16);
  }
}

void decode_q5_1(Bytes block, float* out) {
  const float scale = half_at(block), least = half_at(block + 2);
  std::uint32_t fifth = 0;
  std::memcpy(&fifth, block + 4, sizeof fifth);
  const Bytes low = block + 8;
  for (int i = 0; i < kSmall / 2; ++i) {
    const int upper = i + kSmall / 2;
    out[i] = scale * static_cast<float>((low[i] & 15) | fifth_bit(fifth, i)) + least;
    out[upper] = scale * static_cast<float>((low[i] >> 4) | fifth_bit(fifth, upper)) + least;
  }
}

// Blocks of 256 in 8 groups of 32, each with a scale and a minimum of 6 bits in 12 bytes: those of groups 0 to 3 in the
// low bits of bytes 0-3 and 4-7, whose two upper bits go on top of groups 4 to 7, the rest of which is in bytes 8-11.
constexpr int kLarge = 256, kGroups = 8, kGroup = 32;

struct GroupScale {
  float scale, minimum;
};

GroupScale group_scale(Bytes block, int group) {
  const float scale = half_at(block), minimum = half_at(block + 2);
  const Bytes packed = block + 4;
  if (group < 4) {
    return {scale * static_cast<float>(packed[group] & 63), minimum * static_cast<float>(packed[group + 4] & 63)};
  }
  const int j = group - 4;
  const int s = (packed[8 + j] & 15) | ((packed[j] >> 6) << 4), m = (packed[8 + j] >> 4) | ((packed[4 + j] >> 6) << 4);
  return {scale * static_cast<float>(s), minimum * static_cast<float>(m)};
}

// Groups 2j and 2j + 1 are the lower and upper halves of bytes 32j to 32j + 31.
void decode_q4_k(Bytes block, float* out) {
  const Bytes low = block + 16;
  for (int group = 0; group < kGroups; ++group) {
    const auto [scale, minimum] = group_scale(block, group);
    const Bytes from = low + group / 2 * kGroup;
    const int shift = group % 2 * 4;
    for (int i = 0; i < kGroup; ++i) *out++ = scale * static_cast<float>((from[i] >> shift) & 15) - minimum;
  }
}

// As Q4_K; bit `group` of byte i of the 32 before them is the fifth of value i of the group.
void decode_q5_k(Bytes block, float* out) {
  const Bytes fifth = block + 16, low = block + 48;
  for (int group = 0; group < kGroups; ++group) {
    const auto [scale, minimum] = group_scale(block, group);
    const Bytes from = low + group / 2 * kGroup;
    const int shift = group % 2 * 4;
    for (int i = 0; i < kGroup; ++i) {
      const int q = ((from[i] >> shift) & 15) | (((fifth[i] >> group) & 1) << 4);
      *out++ = scale * static_cast<float>(q) - minimum;
    }
  }
}

// Two halves of 128, of four runs of 32 each: runs 0 and 2 are the lower and upper parts of the half's first 32 bytes
// of low bits, 1 and 3 of its second; bits 2r and 2r + 1 of the half's 32 high bytes belong to run r. 16 scales of 8
// bits, then the block's.
void decode_q6_k(Bytes block, float* out) {
  const Bytes low = block, high = block + 128, scales = block + 192;
  const float scale = half_at(block + 208);
  for (int run = 0; run < kLarge / kGroup; ++run) {
    const int half = run / 4, r = run % 4;
    const Bytes lows = low + half * 64 + r % 2 * kGroup, highs = high + half * kGroup;
    for (int i = 0; i < kGroup; ++i) {
      const float fine = scale * static_cast<float>(static_cast<std::int8_t>(scales[run * 2 + i / 16]));
      const int q = ((lows[i] >> (r / 2 * 4)) & 15) | (((highs[i] >> (2 * r)) & 3) << 4);
      *out++ = fine * static_cast<float>(q - 32);
    }
  }
}

template <int kValues, int kBytes, void (*kDecode)(Bytes, float*)>
void decode_blocks(Bytes from, std::int64_t values, float* out) {
  for (std::int64_t at = 0; at < values; at += kValues) kDecode(from + at / kValues * kBytes, out + at);
}

template <class Stored>
void widen(Bytes from, std::int64_t values, float* out) {
  for (std::int64_t i = 0; i < values; ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from + i * 2, sizeof bits);
    out[i] = to_float(static_cast<Stored>(bits));
  }
}

}  // namespace

void to_floats(Dtype dtype, const std::byte* from, std::int64_t values, float* out) {
  if (values == 0) return;
  const auto* bytes = reinterpret_cast<Bytes>(from);
  switch (dtype) {
    case Dtype::kF32:
      std::memcpy(out, from, static_cast<std::size_t>(values) * sizeof(float));
      return;
    case Dtype::kBf16:
      return widen<Bf16>(bytes, values, out);
    case Dtype::kF16:
      return widen<Half>(bytes, values, out);
    case Dtype::kQ8_0:
      return decode_blocks<32, 34, decode_q8_0>(bytes, values, out);
    case Dtype::kQ4_0:
      return decode_blocks<32, 18, decode_q4_0>(bytes, values, out);
    case Dtype::kQ4_1:
      return decode_blocks<32, 20, decode_q4_1>(bytes, values, out);
    case Dtype::kQ5_0:
      return decode_blocks<32, 22, decode_q5_0>(bytes, values, out);
    case Dtype::kQ5_1:
      return decode_blocks<32, 24, decode_q5_1>(bytes, values, out);
    case Dtype::kQ4_K:
      return decode_blocks<256, 144, decode_q4_k>(bytes, values, out);
    case Dtype::kQ5_K:
      return decode_blocks<256, 176, decode_q5_k>(bytes, values, out);
    case Dtype::kQ6_K:
      return decode_blocks<256, 210, decode_q6_k>(bytes, values, out);
    case Dtype::kI64:
    case Dtype::kI32:
    case Dtype::kI8:
    case Dtype::kU8:
      break;
  }
  WEFT_CHECK(false);
}

}  // namespace weft::model
