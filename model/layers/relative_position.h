// Relative positions (Raffel et al. 2020): a score of attention gets a learned number a head that depends on how far
// the key stands from the query. Near distances have a bucket each, farther ones share buckets that grow with the
// logarithm. The first layer of a stack owns the numbers and all its layers use them. Immutable; compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace weft::model {

enum class PositionDirection { kBoth, kBackward };  // an encoder looks both ways, a decoder back alone

struct PositionBuckets {
  std::int64_t count = 32;
  std::int64_t distance = 128;  // from here on a direction's last bucket
  PositionDirection direction = PositionDirection::kBoth;
};

// relative: key position - query position, i64 of any shape -> bucket numbers of the same shape. Looking back alone,
// all that is ahead has bucket 0.
at::Tensor position_buckets(const at::Tensor& relative, const PositionBuckets& buckets);

class RelativePosition {
 public:
  RelativePosition(at::Tensor weight, const PositionBuckets& buckets);  // [buckets, H/R]
  // For queries at positions first … first + queries - 1 and keys at 0 … keys - 1: what is added to their scores,
  // -infinity for a key that the direction hides. [H/R, queries, keys]
  [[nodiscard]] at::Tensor bias(std::int64_t first, std::int64_t queries, std::int64_t keys) const;

 private:
  at::Tensor weight_;
  PositionBuckets buckets_;
};

}  // namespace weft::model
