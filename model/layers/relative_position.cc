#include "model/layers/relative_position.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/log.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <limits>

namespace weft::model {

// The logarithm is taken in fp32, operation by operation as the published models had it: a distance whose bucket is a
// whole number up to rounding lands where it did in their training.
at::Tensor position_buckets(const at::Tensor& relative, const PositionBuckets& buckets) {
  const bool both = buckets.direction == PositionDirection::kBoth;
  const std::int64_t count = both ? buckets.count / 2 : buckets.count, exact = count / 2;
  const at::Tensor distance = both ? relative.abs() : relative.neg().clamp_min(0);
  const double growth = std::log(static_cast<double>(buckets.distance) / static_cast<double>(exact));
  const at::Tensor steps =
      at::log(distance.to(at::kFloat) / static_cast<double>(exact)) / growth * static_cast<double>(count - exact);
  const at::Tensor far = (steps.clamp_min(0).to(at::kLong) + exact).clamp_max(count - 1);
  const at::Tensor bucket = at::where(distance < exact, distance, far);
  return both ? bucket + (relative > 0).to(at::kLong) * count : bucket;
}

RelativePosition::RelativePosition(at::Tensor weight, const PositionBuckets& buckets)
    : weight_(std::move(weight)), buckets_(buckets) {}

at::Tensor RelativePosition::bias(std::int64_t first, std::int64_t queries, std::int64_t keys) const {
  const auto index = at::TensorOptions(weight_.device()).dtype(at::kLong);
  const at::Tensor relative =
      at::arange(keys, index).unsqueeze(0) - at::arange(first, first + queries, index).unsqueeze(1);
  const at::Tensor numbers = at::index_select(weight_, 0, position_buckets(relative, buckets_).flatten());
  const at::Tensor bias = numbers.view({queries, keys, -1}).permute({2, 0, 1});
  if (buckets_.direction == PositionDirection::kBoth) return bias;
  return bias.masked_fill(relative > 0, -std::numeric_limits<float>::infinity());
}

}  // namespace weft::model
