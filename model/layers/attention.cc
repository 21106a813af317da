#include "model/layers/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "model/base/check.h"

namespace weft::model {
namespace {

constexpr std::int64_t kBlockTokens = 128;  // queries whose scores are in memory at once

// Of the queries from `begin` on and the keys from `first` on, up to the last query's own: which are not seen. [n,
// keys]
at::Tensor causal_mask(std::int64_t begin, std::int64_t tokens, std::int64_t first, std::int64_t window,
                       const at::Tensor& like) {
  const auto options = like.options().dtype(at::kLong);
  const at::Tensor keys = at::arange(first, begin + tokens, options).unsqueeze(0);
  const at::Tensor rows = at::arange(begin, begin + tokens, options).unsqueeze(1);
  at::Tensor hidden = keys > rows;
  if (window > 0) hidden = hidden.logical_or(keys <= rows - window);
  return at::zeros(hidden.sizes(), like.options()).masked_fill_(hidden, -std::numeric_limits<float>::infinity());
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

// Written out rather than through SDPA, which takes longer on a processor: block by block of queries, so that most of
// what no query sees is not computed, and with the query heads of a key head as rows of one product.
at::Tensor DocumentAttention::attend(const AttentionRule& rule, const at::Tensor& q, const at::Tensor& k,
                                     const at::Tensor& v) {
  const std::int64_t kv_heads = k.size(1), group = q.size(1) / kv_heads, width = q.size(2);
  const auto qs = (q * rule.scale).split_with_sizes(lengths_), ks = k.split_with_sizes(lengths_);
  const auto vs = v.split_with_sizes(lengths_);
  std::vector<at::Tensor> outputs;
  for (std::size_t i = 0; i < lengths_.size(); ++i) {
    const at::Tensor keys = ks[i].permute({1, 2, 0}), values = vs[i].transpose(0, 1);  // [Hk, D, n], [Hk, n, D]
    for (std::int64_t begin = 0; begin < lengths_[i]; begin += kBlockTokens) {
      const std::int64_t tokens = std::min(kBlockTokens, lengths_[i] - begin);
      const std::int64_t first = rule.window > 0 ? std::max<std::int64_t>(0, begin + 1 - rule.window) : 0;
      const std::int64_t seen = begin + tokens - first;
      const at::Tensor queries = qs[i]
                                     .narrow(0, begin, tokens)
                                     .reshape({tokens, kv_heads, group, width})
                                     .permute({1, 2, 0, 3})
                                     .reshape({kv_heads, group * tokens, width});
      const at::Tensor scores = at::bmm(queries, keys.narrow(2, first, seen)).view({kv_heads, group, tokens, seen});
      const at::Tensor weights = at::softmax(scores + causal_mask(begin, tokens, first, rule.window, scores), -1);
      outputs.push_back(at::bmm(weights.view({kv_heads, group * tokens, seen}), values.narrow(1, first, seen))
                            .view({kv_heads, group, tokens, width})
                            .permute({2, 0, 1, 3})
                            .reshape({tokens, kv_heads * group, width}));
    }
  }
  return outputs.size() == 1 ? outputs.front() : at::cat(outputs, 0);
}

}  // namespace weft::model
