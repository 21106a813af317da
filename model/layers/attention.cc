#include "model/layers/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <limits>

namespace weft::model {
namespace {

// [Hk, T, D] -> [1, H, T, D]: each key head serves H/Hk query heads, without a copy where the backend allows it.
at::Tensor repeat_heads(const at::Tensor& x, std::int64_t heads) {
  const std::int64_t kv_heads = x.size(-3);
  if (kv_heads == heads) return x;
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.insert(shape.end() - 2, heads / kv_heads);
  std::vector<std::int64_t> flat = x.sizes().vec();
  flat[flat.size() - 3] = heads;
  return x.unsqueeze(-3).expand(shape).reshape(flat);
}

// Query i of n stands at position past + i: it sees the keys up to its own, the last `window` of them. [n, past + n]
at::Tensor causal_mask(std::int64_t queries, std::int64_t past, std::int64_t window, const at::Tensor& like) {
  const at::Tensor keys = at::arange(past + queries, like.options().dtype(at::kLong)).unsqueeze(0);
  const at::Tensor rows = at::arange(past, past + queries, like.options().dtype(at::kLong)).unsqueeze(1);
  at::Tensor hidden = keys > rows;
  if (window > 0) hidden = hidden.logical_or(keys <= rows - window);
  return at::zeros({queries, past + queries}, like.options())
      .masked_fill_(hidden, -std::numeric_limits<float>::infinity());
}

}  // namespace

at::Tensor CachedAttention::attend(const AttentionRule& rule, const at::Tensor& q, const at::Tensor& k,
                                   const at::Tensor& v) {
  std::vector<at::Tensor> outputs;
  outputs.reserve(parts_.size());
  std::int64_t at_token = 0;
  for (const Part& part : parts_) {
    const std::int64_t past = part.kv->length(), length = past + part.tokens;
    const KvSlices kv =
        part.kv->extend(rule.layer, k.narrow(0, at_token, part.tokens), v.narrow(0, at_token, part.tokens));
    const at::Tensor queries = q.narrow(0, at_token, part.tokens).transpose(0, 1).unsqueeze(0);  // [1, H, n, D]
    const at::Tensor keys = repeat_heads(kv.keys, q.size(1)).unsqueeze(0);
    const at::Tensor values = repeat_heads(kv.values, q.size(1)).unsqueeze(0);
    const bool cut = rule.window > 0 && length > rule.window;
    std::optional<at::Tensor> mask;
    if (cut || (past > 0 && part.tokens > 1)) mask = causal_mask(part.tokens, past, rule.window, q);
    const bool causal = !mask && part.tokens > 1;
    outputs.push_back(at::scaled_dot_product_attention(queries, keys, values, mask, 0.0, causal, rule.scale)
                          .squeeze(0)
                          .transpose(0, 1));
    at_token += part.tokens;
  }
  return outputs.size() == 1 ? outputs.front() : at::cat(outputs, 0);
}

// Written out rather than through SDPA: on a processor its bf16 kernel, forward and backward, takes up to twice the
// time.
at::Tensor DocumentAttention::attend(const AttentionRule& rule, const at::Tensor& q, const at::Tensor& k,
                                     const at::Tensor& v) {
  const auto to_heads = [&](const at::Tensor& x) { return repeat_heads(x.transpose(0, 1), q.size(1)); };  // [H, n, D]
  const auto qs = (q * rule.scale).split_with_sizes(lengths_), ks = k.split_with_sizes(lengths_);
  const auto vs = v.split_with_sizes(lengths_);
  std::vector<at::Tensor> outputs;
  outputs.reserve(lengths_.size());
  for (std::size_t i = 0; i < lengths_.size(); ++i) {
    const at::Tensor scores = at::matmul(qs[i].transpose(0, 1), to_heads(ks[i]).transpose(-1, -2));
    const at::Tensor weights = at::softmax(scores + causal_mask(lengths_[i], 0, rule.window, scores), -1);
    outputs.push_back(at::matmul(weights, to_heads(vs[i])).transpose(0, 1));
  }
  return outputs.size() == 1 ? outputs.front() : at::cat(outputs, 0);
}

}  // namespace weft::model
