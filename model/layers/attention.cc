#include "model/layers/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include <utility>

#include "model/base/check.h"

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

// Query i sees the keys up to its own, the last `window` of them. [n, n]
at::Tensor causal_mask(std::int64_t tokens, std::int64_t window, const at::Tensor& like) {
  const at::Tensor places = at::arange(tokens, like.options().dtype(at::kLong));
  const at::Tensor keys = places.unsqueeze(0), rows = places.unsqueeze(1);
  at::Tensor hidden = keys > rows;
  if (window > 0) hidden = hidden.logical_or(keys <= rows - window);
  return at::zeros({tokens, tokens}, like.options()).masked_fill_(hidden, -std::numeric_limits<float>::infinity());
}

TokenRows token_rows(const at::Tensor& x) {
  WEFT_CHECK(x.stride(2) == 1 && x.stride(1) == x.size(2));
  return {x.const_data_ptr<float>(), x.stride(0)};
}

}  // namespace

PagedAttention::PagedAttention(const Cpu& cpu, std::vector<Part> parts) : cpu_(cpu), parts_(std::move(parts)) {
  for (const Part& part : parts_) part.kv->reserve(part.tokens);
}

at::Tensor PagedAttention::attend(const AttentionRule& rule, const at::Tensor& q, const at::Tensor& k,
                                  const at::Tensor& v) {
  std::vector<SequenceBlocks> sequences;
  sequences.reserve(parts_.size());
  for (const Part& part : parts_) sequences.push_back(part.kv->extend(rule.layer, part.tokens));
  const KvLayout& layout = parts_.front().kv->layout();
  store_kv(cpu_, layout, sequences, token_rows(k), token_rows(v));
  at::Tensor out = at::empty(q.sizes(), q.options());
  const AttentionOptions options{
      .query_heads = q.size(1), .scale = static_cast<float>(rule.scale), .window = rule.window};
  model::attend(cpu_, layout, options, sequences, token_rows(q), out.mutable_data_ptr<float>(), out.stride(0));
  return out;
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
    const at::Tensor weights = at::softmax(scores + causal_mask(lengths_[i], rule.window, scores), -1);
    outputs.push_back(at::matmul(weights, to_heads(vs[i])).transpose(0, 1));
  }
  return outputs.size() == 1 ? outputs.front() : at::cat(outputs, 0);
}

}  // namespace weft::model
