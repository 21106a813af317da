#include "model/layers/gradients.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "model/base/check.h"
#include "model/kernels/cpu_isa.h"
#include "model/kernels/row_kernel.h"

namespace weft::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr std::int64_t kPieceNumbers = 1 << 14;  // fewer are not worth a thread

const RowKernels& kernels() {
  static const RowKernels& best = []() -> const RowKernels& {
    const auto isa = active_isa();
    return row_kernels(isa ? *isa : Isa::kReference);
  }();
  return best;
}

// body(begin, end) over rows, on LibTorch's threads.
template <class Body>
void for_rows(std::int64_t rows, std::int64_t width, const Body& body) {
  at::parallel_for(0, rows, std::max<std::int64_t>(1, kPieceNumbers / width), body);
}

struct RmsNorm : Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight, double eps,
                            double offset) {
    // By LibTorch's operations, to the bit what the layers give without gradients.
    const at::Tensor rows = x.contiguous();
    const at::Tensor scaled = rows * at::rsqrt(rows.square().mean(-1, /*keepdim=*/true) + eps);
    const at::Tensor out = offset == 0 ? weight * scaled : scaled * (weight + offset);
    context->save_for_backward({rows, weight});
    context->saved_data["eps"] = eps;
    context->saved_data["offset"] = offset;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], dy = grads[0].contiguous();
    const auto eps = static_cast<float>(context->saved_data["eps"].toDouble());
    const auto offset = static_cast<float>(context->saved_data["offset"].toDouble());
    const std::int64_t width = x.size(-1);
    const bool wants_weight = context->needs_input_grad(1);
    at::Tensor dx = at::empty_like(x);
    // A row for each thread, summed in their order, so that the same threads give the same bits.
    const at::Tensor sums = wants_weight ? at::zeros({at::get_num_threads(), width}, x.options()) : at::Tensor();
    float* partial = wants_weight ? sums.mutable_data_ptr<float>() : nullptr;
    const float* from = x.const_data_ptr<float>();
    const float* scale = weight.const_data_ptr<float>();
    const float* up = dy.const_data_ptr<float>();
    float* to = dx.mutable_data_ptr<float>();
    for_rows(x.numel() / width, width, [&](std::int64_t begin, std::int64_t end) {
      float* own = wants_weight ? partial + at::get_thread_num() * width : nullptr;
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t at = row * width;
        kernels().gradients.rms_norm(from + at, scale, up + at, width, eps, offset, to + at, own);
      }
    });
    return {dx, wants_weight ? sums.sum(0) : at::Tensor(), {}, {}};
  }
};

struct SiluGate : Function<SiluGate> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate, const at::Tensor& up) {
    const at::Tensor gates = gate.contiguous(), ups = up.contiguous();
    const std::int64_t width = gates.size(-1);
    at::Tensor out = at::empty_like(gates);
    const float *g = gates.const_data_ptr<float>(), *u = ups.const_data_ptr<float>();
    float* to = out.mutable_data_ptr<float>();
    for_rows(gates.numel() / width, width, [&](std::int64_t begin, std::int64_t end) {
      kernels().silu(g + begin * width, u + begin * width, (end - begin) * width, to + begin * width);
    });
    context->save_for_backward({gates, ups});
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &gates = saved[0], &ups = saved[1], dy = grads[0].contiguous();
    const std::int64_t width = gates.size(-1);
    at::Tensor dgate = at::empty_like(gates), dup = at::empty_like(ups);
    const float *g = gates.const_data_ptr<float>(), *u = ups.const_data_ptr<float>(), *d = dy.const_data_ptr<float>();
    float *to_gate = dgate.mutable_data_ptr<float>(), *to_up = dup.mutable_data_ptr<float>();
    for_rows(gates.numel() / width, width, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t at = begin * width;
      kernels().gradients.silu(g + at, u + at, d + at, (end - begin) * width, to_gate + at, to_up + at);
    });
    return {dgate, dup};
  }
};

// A copy of x with its heads turned; backwards by the opposite angle.
at::Tensor turned(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  at::Tensor out = x.clone(at::MemoryFormat::Contiguous);
  const std::int64_t heads = x.size(1), width = x.size(2), angles = cos.size(-1);
  const float *c = cos.const_data_ptr<float>(), *s = sin.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  for_rows(x.size(0), heads * width, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t head = 0; head < heads; ++head) {
        kernels().rotate(to + (row * heads + head) * width, c + row * angles, s + row * angles, angles / 2);
      }
    }
  });
  return out;
}

struct Rotation : Function<Rotation> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& cos,
                            const at::Tensor& sin) {
    context->save_for_backward({cos, sin});
    return turned(x, cos, sin);
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    return {turned(grads[0], saved[0], -saved[1]), {}, {}};
  }
};

struct CrossEntropy : Function<CrossEntropy> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& scores, const at::Tensor& targets,
                            const at::Tensor& weights, std::int64_t ignored) {
    WEFT_CHECK(scores.is_contiguous() && targets.is_contiguous() && weights.is_contiguous());
    const std::int64_t rows = scores.size(0), width = scores.size(1);
    at::Tensor gradient = scores.detach();
    float* numbers = gradient.mutable_data_ptr<float>();
    const std::int64_t* target = targets.const_data_ptr<std::int64_t>();
    const float* weight = weights.const_data_ptr<float>();
    const at::Tensor nats = at::empty({rows}, scores.options());
    float* to = nats.mutable_data_ptr<float>();
    for_rows(rows, width, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const bool counts = target[row] != ignored && weight[row] != 0;
        float* own = numbers + row * width;
        if (!counts) std::fill_n(own, width, 0.0F);
        to[row] = counts ? kernels().gradients.cross_entropy(own, width, target[row], weight[row]) : 0.0F;
      }
    });
    context->save_for_backward({gradient});
    return nats.sum();
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const at::Tensor gradient = context->get_saved_variables()[0];
    const auto factor = grads[0].item<float>();
    return {factor == 1.0F ? gradient : gradient * factor, {}, {}, {}};
  }
};

}  // namespace

bool has_own_gradient(const at::Tensor& x) {
  return at::GradMode::is_enabled() && x.is_cpu() && x.scalar_type() == at::kFloat;
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, double offset) {
  return RmsNorm::apply(x, weight, eps, offset);
}
at::Tensor silu_gate(const at::Tensor& gate, const at::Tensor& up) { return SiluGate::apply(gate, up); }
at::Tensor rotate_heads(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  return Rotation::apply(x, cos, sin);
}
at::Tensor cross_entropy(const at::Tensor& scores, const at::Tensor& targets, const at::Tensor& weights,
                         std::int64_t ignored) {
  return CrossEntropy::apply(scores, targets, weights, ignored);
}

}  // namespace weft::model
