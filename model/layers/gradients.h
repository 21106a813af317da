// Operations of the layers with gradients of their own, for training in fp32 on a processor: each takes one pass over
// its rows backward, where LibTorch takes several, and but for the norm one forward. Elsewhere the layers use
// LibTorch's operations, with which the tests compare these. Any thread; threads are LibTorch's.
#pragma once

#include <ATen/core/Tensor.h>

namespace weft::model {

// Whether these do for x: fp32 in a processor's memory, while gradients are recorded.
[[nodiscard]] bool has_own_gradient(const at::Tensor& x);

// x / sqrt(mean(x^2) + eps) * (weight + offset) of each row. x: [..., width], weight: [width].
[[nodiscard]] at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, double offset);
// silu(gate) * up, [..., width] each.
[[nodiscard]] at::Tensor silu_gate(const at::Tensor& gate, const at::Tensor& up);
// Each head turned, half-split. x: [N, H, D]; cos, sin: [N, 1, D] with the same two halves.
[[nodiscard]] at::Tensor rotate_heads(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin);
// The sum over rows of -log softmax(scores)[target] * weight, [] in nats. scores: [N, V], fp32, whose memory becomes
// their gradient's: nobody else may need them. targets: [N], of which `ignored` ones do not count; weights: [N].
[[nodiscard]] at::Tensor cross_entropy(const at::Tensor& scores, const at::Tensor& targets, const at::Tensor& weights,
                                       std::int64_t ignored);

}  // namespace weft::model
