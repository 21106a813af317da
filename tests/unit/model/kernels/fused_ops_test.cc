#include "model/kernels/fused_ops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/kernels/thread_pool.h"
#include "tests/unit/model/kernels/quantize.h"

namespace weft::model {
namespace {

// Every instruction set of the machine, alone and with a second thread.
template <class Body>
void on_every_cpu(const Body& body) {
  SerialWorkers serial;
  ThreadPool two(2);
  for (const Isa isa : isas_up_to(detect_isa())) {
    SCOPED_TRACE(isa_name(isa));
    body(Cpu{.isa = isa, .workers = &serial});
    body(Cpu{.isa = isa, .workers = &two});
  }
}

struct Size {
  std::int64_t rows, width;
};
constexpr Size kSizes[] = {{1, 1}, {3, 7}, {2, 64}, {40, 896}, {5, 1021}};

std::size_t at(std::int64_t row, std::int64_t stride, std::int64_t i) {
  return static_cast<std::size_t>(row * stride + i);
}

void expect_near(float got, double expected) { EXPECT_NEAR(got, expected, 2e-6 * (1 + std::fabs(expected))); }

TEST(FusedOps, RmsNormAddsTheResidualAndScales) {
  on_every_cpu([](const Cpu& cpu) {
    for (const auto& [rows, width] : kSizes) {
      const std::int64_t stride = width + 3;
      const std::vector<float> x = random_floats(at(rows, stride, 0), 1, 4.0F), residual = random_floats(x.size(), 2);
      const std::vector<float> weight = random_floats(static_cast<std::size_t>(width), 3);
      std::vector<float> sum = x, out(x.size(), 9.0F);
      rms_norm(cpu, {.data = sum.data(), .rows = rows, .width = width, .stride = stride},
               {.data = residual.data(), .stride = stride}, weight, {.eps = 1e-3F, .weight_offset = 1}, out.data(),
               stride);
      for (std::int64_t row = 0; row < rows; ++row) {
        double square = 0;
        for (std::int64_t i = 0; i < width; ++i) {
          ASSERT_EQ(sum[at(row, stride, i)], x[at(row, stride, i)] + residual[at(row, stride, i)]);
          square += std::pow(sum[at(row, stride, i)], 2.0);
        }
        const double scale = 1 / std::sqrt(square / static_cast<double>(width) + 1e-3);
        for (std::int64_t i = 0; i < width; ++i) {
          expect_near(out[at(row, stride, i)], sum[at(row, stride, i)] * scale * (weight[at(0, 0, i)] + 1.0));
        }
        for (std::int64_t i = width; i < stride; ++i) EXPECT_EQ(out[at(row, stride, i)], 9.0F);
      }
    }
  });
}

TEST(FusedOps, LayerNormTakesTheMeanOff) {
  on_every_cpu([](const Cpu& cpu) {
    for (const auto& [rows, width] : kSizes) {
      std::vector<float> x = random_floats(at(rows, width, 0), 1);
      for (float& value : x) value += 100;
      const std::vector<float> weight = random_floats(static_cast<std::size_t>(width), 2),
                               bias = random_floats(weight.size(), 3);
      for (const bool biased : {false, true}) {
        std::vector<float> out(x.size());
        layer_norm(cpu, {.data = x.data(), .rows = rows, .width = width, .stride = width}, {}, weight,
                   biased ? std::span<const float>(bias) : std::span<const float>(), 1e-5F, out.data(), width);
        for (std::int64_t row = 0; row < rows; ++row) {
          double mean = 0, variance = 0;
          for (std::int64_t i = 0; i < width; ++i) mean += x[at(row, width, i)] / static_cast<double>(width);
          for (std::int64_t i = 0; i < width; ++i) {
            variance += std::pow(x[at(row, width, i)] - mean, 2.0) / static_cast<double>(width);
          }
          for (std::int64_t i = 0; i < width; ++i) {
            const double value = (x[at(row, width, i)] - mean) / std::sqrt(variance + 1e-5) * weight[at(0, 0, i)];
            EXPECT_NEAR(out[at(row, width, i)], value + (biased ? bias[at(0, 0, i)] : 0.0F), 1e-4);
          }
        }
      }
    }
  });
}

TEST(FusedOps, RotationTurnsPairsByTheirAngle) {
  on_every_cpu([](const Cpu& cpu) {
    const std::int64_t rows = 7, heads = 3;
    for (const auto& [dim, rotary] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{64, 64}, {80, 32}, {6, 6}, {10, 2}}) {
      const std::vector<float> angle = random_floats(at(rows, rotary / 2, 0), 1);
      std::vector<float> cos, sin;
      for (const float a : angle) {
        cos.push_back(std::cos(a));
        sin.push_back(std::sin(a));
      }
      const std::int64_t width = heads * dim;
      const std::vector<float> x = random_floats(at(rows, width, 0), 2);
      std::vector<float> turned = x;
      rotate_heads(cpu, {.data = turned.data(), .rows = rows, .width = width, .stride = width},
                   {.heads = heads, .head_dim = dim, .rotary_dim = rotary}, {.data = cos.data(), .stride = rotary / 2},
                   {.data = sin.data(), .stride = rotary / 2});
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t i = 0; i < width; ++i) {
          const std::int64_t d = i % dim, half = rotary / 2;
          double expected = x[at(row, width, i)];
          if (d < rotary) {
            const double a = angle[at(row, half, d % half)];
            const double other = x[at(row, width, d < half ? i + half : i - half)];
            expected = expected * std::cos(a) + (d < half ? -other : other) * std::sin(a);
          }
          expect_near(turned[at(row, width, i)], expected);
        }
      }
    }
  });
}

TEST(FusedOps, GatesMultiplyTheActivation) {
  on_every_cpu([](const Cpu& cpu) {
    for (const auto& [rows, width] : kSizes) {
      std::vector<float> both = random_floats(at(rows, 2 * width, 0), 1, 6.0F);
      both[0] = -200;  // deep in the tail
      for (const GateActivation activation : {GateActivation::kSilu, GateActivation::kGeluTanh}) {
        std::vector<float> gated(at(rows, width, 0)), plain(gated.size());
        const Rows x{.data = both.data(), .rows = rows, .width = width, .stride = 2 * width};
        gate(cpu, activation, x, {.data = both.data() + width, .stride = 2 * width}, gated.data(), width);
        activate(cpu, activation, x, plain.data(), width);
        for (std::int64_t row = 0; row < rows; ++row) {
          for (std::int64_t i = 0; i < width; ++i) {
            const double value = both[at(row, 2 * width, i)], up = both[at(row, 2 * width, width + i)];
            const double inner = std::sqrt(2 / M_PI) * (value + 0.044715 * value * value * value);
            const double active = activation == GateActivation::kSilu ? value / (1 + std::exp(-value))
                                                                      : value / 2 * (1 + std::tanh(inner));
            expect_near(plain[at(row, width, i)], active);
            expect_near(gated[at(row, width, i)], active * up);
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace weft::model
