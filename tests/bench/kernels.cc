// How fast the CPU kernels are on this machine, as shares of what its probes reach. Each measurement stands between two
// runs of its probe; of either's repetitions the best counts, since the machine's other work can only slow them.
//
//   bench_kernels [linear|attention|ops|lora [words ...]]
//
// With words, only the lines of which each word is a part: bench_kernels linear int8 down n=1
// WEFT_CPU_ISA chooses the instruction set, WEFT_THREADS the threads (2).
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string_view>

#include "model/kernels/attention.h"
#include "model/kernels/fused_ops.h"
#include "model/kernels/lora.h"
#include "model/kernels/packed_matrix.h"
#include "model/kernels/probe.h"
#include "model/kernels/thread_pool.h"
#include "tests/unit/model/kernels/quantize.h"

namespace weft::model {
namespace {

constexpr double kProbeSeconds = 0.05;

// The best of repetitions over about `seconds`.
template <class Body>
double best_seconds(double seconds, const Body& body) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  body(0);
  double total = 0;
  for (std::size_t i = 1; total < seconds || times.size() < 5; ++i) {
    const Clock::time_point begin = Clock::now();
    body(i);
    times.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    total += times.back();
  }
  return *std::min_element(times.begin(), times.end());
}

struct Named {
  const char* name;
  std::int64_t rows, columns;
};
constexpr Named kMatrices[] = {
    {"0.5B qkv", 1152, 896},  {"0.5B gate+up", 9728, 896},   {"0.5B down", 896, 4864},  {"0.5B head", 151936, 896},
    {"1.5B qkv", 2048, 1536}, {"1.5B gate+up", 17920, 1536}, {"1.5B down", 1536, 8960},
};

// Copies of one matrix, together too large for the caches: as in a model, no product finds its weights there.
std::vector<PackedMatrix> copies(const MatrixShape& shape) {
  std::vector<PackedMatrix> out;
  std::size_t bytes = 0;
  do {
    out.push_back(pack(shape, static_cast<unsigned>(out.size())));
    bytes += out.back().bytes();
  } while (bytes < (std::size_t{192} << 20));
  return out;
}

double compute_probe(const Cpu& cpu, WeightFormat format) {
  switch (format) {
    case WeightFormat::kInt8:
      return probe_int8_ops_per_second(cpu, kProbeSeconds);
    case WeightFormat::kInt4:
      return probe_int4_ops_per_second(cpu, kProbeSeconds);
    default:
      return probe_float32_ops_per_second(cpu, kProbeSeconds);
  }
}

using Words = std::span<char* const>;

bool wanted(Words words, const std::string& line) {
  return std::all_of(words.begin(), words.end(), [&](const char* word) {
    return (" " + line + " ").find(std::string(" ") + word + " ") != std::string::npos;
  });
}

void bench_linear(const Cpu& cpu, Words words) {
  struct Format {
    const char* name;
    WeightFormat format;
    std::int64_t group;
  };
  constexpr Format kFormats[] = {{"int8", WeightFormat::kInt8, 0},      {"int4 g32", WeightFormat::kInt4, 32},
                                 {"int4 g64", WeightFormat::kInt4, 64}, {"int4 g128", WeightFormat::kInt4, 128},
                                 {"bf16", WeightFormat::kBFloat16, 0},  {"fp32", WeightFormat::kFloat32, 0}};
  fmt::print("{:14} {:10} {:>4} {:>10} {:>7} {:>11} {:>8} {:>13}\n", "matrix", "format", "n", "us", "GB/s", "of read",
             "GOP/s", "of compute");
  for (const Format& format : kFormats) {
    for (const Named& named : kMatrices) {
      const MatrixShape shape{format.format, named.rows, named.columns, format.group};
      std::vector<PackedMatrix> matrices;
      for (const std::int64_t n : {1, 2, 4, 8, 16, 64, 512}) {
        if (n == 512 && named.rows > 100000) continue;
        if (!wanted(words, fmt::format("{} {} n={}", named.name, format.name, n))) continue;
        if (matrices.empty()) matrices = copies(shape);
        const std::vector<float> x = random_floats(static_cast<std::size_t>(n * named.columns), 1);
        std::vector<float> y(static_cast<std::size_t>(n * named.rows));
        const double read0 = probe_read_bytes_per_second(cpu, kProbeSeconds), ops0 = compute_probe(cpu, format.format);
        const double time = best_seconds(0.2, [&](std::size_t i) {
          matrices[i % matrices.size()].multiply(cpu, {.data = x.data(), .rows = n, .stride = named.columns},
                                                 {.data = y.data(), .stride = named.rows});
        });
        const double read = std::max(read0, probe_read_bytes_per_second(cpu, kProbeSeconds));
        const double peak = std::max(ops0, compute_probe(cpu, format.format));
        const double bytes = static_cast<double>(matrices[0].bytes()) / time;
        const double ops = 2.0 * static_cast<double>(n * named.rows * named.columns) / time;
        fmt::print("{:14} {:10} {:4} {:10.1f} {:7.1f} {:4.0f}% ({:3.0f}) {:8.1f} {:5.0f}% ({:4.0f})\n", named.name,
                   format.name, n, time * 1e6, bytes / 1e9, 100 * bytes / read, read / 1e9, ops / 1e9, 100 * ops / peak,
                   peak / 1e9);
        std::fflush(stdout);
      }
    }
  }
}

struct Heads {
  const char* name;
  std::int64_t heads, kv_heads, dim;
};

// One layer's attention; layers enough that none finds its keys and values in a cache.
void bench_attention(const Cpu& cpu, Words words) {
  constexpr Heads kModels[] = {{"0.5B", 14, 2, 64}, {"1.5B", 12, 2, 128}, {"MHA", 32, 32, 128}};
  fmt::print("{:6} {:6} {:>7} {:>4} {:>10} {:>7} {:>11} {:>8} {:>12}\n", "model", "kv", "past", "n", "us", "GB/s",
             "of read", "GFLOP/s", "of fp32");
  for (const Heads& model : kModels) {
    for (const KvFormat format : {KvFormat::kFloat32, KvFormat::kBFloat16}) {
      for (const auto& [past, n] : std::vector<std::pair<std::int64_t, std::int64_t>>{
               {512, 1}, {2048, 1}, {2048, 4}, {2048, 8}, {8192, 1}, {0, 512}, {2048, 256}}) {
        const char* const kv = format == KvFormat::kFloat32 ? "fp32" : "bf16";
        if (!wanted(words, fmt::format("{} {} past={} n={}", model.name, kv, past, n))) continue;
        const KvLayout layout{format, model.kv_heads, model.dim, 16};
        const auto block_bytes =
            static_cast<std::size_t>(model.kv_heads * 16 * model.dim * (format == KvFormat::kFloat32 ? 4 : 2));
        const auto blocks = static_cast<std::size_t>((past + n + 15) / 16);
        const std::size_t layers = (std::size_t{96} << 20) / (2 * blocks * block_bytes) + 1;
        AlignedBuffer memory(layers * 2 * blocks * block_bytes);
        for (std::size_t i = 0; i < memory.bytes(); i += 64) memory.data()[i] = std::byte{1};
        std::vector<void*> table;
        for (std::size_t i = 0; i < layers * 2 * blocks; ++i) table.push_back(memory.data() + i * block_bytes);
        const std::int64_t width = model.heads * model.dim;
        const std::vector<float> q = random_floats(static_cast<std::size_t>(n * width), 1);
        std::vector<float> out(q.size());
        const double read0 = probe_read_bytes_per_second(cpu, kProbeSeconds),
                     ops0 = probe_float32_ops_per_second(cpu, kProbeSeconds);
        const double time = best_seconds(0.2, [&](std::size_t i) {
          const std::span<void* const> layer = std::span(table).subspan(i % layers * 2 * blocks, 2 * blocks);
          const SequenceBlocks sequence{
              .past = past, .tokens = n, .keys = layer.first(blocks), .values = layer.last(blocks)};
          attend(cpu, layout, {.query_heads = model.heads, .scale = 0.125F}, std::span(&sequence, 1),
                 {.data = q.data(), .stride = width}, out.data(), width);
        });
        const double read = std::max(read0, probe_read_bytes_per_second(cpu, kProbeSeconds));
        const double peak = std::max(ops0, probe_float32_ops_per_second(cpu, kProbeSeconds));
        const double bytes = static_cast<double>(2 * blocks * block_bytes) / time;
        const double pairs = static_cast<double>(n) * static_cast<double>(past) +
                             static_cast<double>(n) * static_cast<double>(n + 1) / 2;
        const double ops = 4 * pairs * static_cast<double>(width) / time;
        fmt::print("{:6} {:6} {:7} {:4} {:10.1f} {:7.1f} {:4.0f}% ({:3.0f}) {:8.1f} {:4.0f}% ({:4.0f})\n", model.name,
                   kv, past, n, time * 1e6, bytes / 1e9, 100 * bytes / read, read / 1e9, ops / 1e9, 100 * ops / peak,
                   peak / 1e9);
        std::fflush(stdout);
      }
    }
  }
}

void bench_ops(const Cpu& cpu) {
  for (const std::int64_t n : {1, 512}) {
    const std::int64_t hidden = 896, inner = 4864;
    std::vector<float> x = random_floats(static_cast<std::size_t>(n * hidden), 1),
                       both = random_floats(static_cast<std::size_t>(n * 2 * inner), 2);
    const std::vector<float> weight(static_cast<std::size_t>(hidden), 1.0F),
        angles(static_cast<std::size_t>(n * 32), 0.5F);
    std::vector<float> out(both.size());
    const Rows rows{.data = x.data(), .rows = n, .width = hidden, .stride = hidden};
    const Rows gates{.data = both.data(), .rows = n, .width = inner, .stride = 2 * inner};
    const auto report = [&](const char* name, const auto& body) {
      fmt::print("{:14} n={:4} {:10.2f} us\n", name, n, best_seconds(0.1, [&](std::size_t) { body(); }) * 1e6);
    };
    report("rms_norm", [&] { rms_norm(cpu, rows, {}, weight, {}, out.data(), hidden); });
    report("rotate_heads", [&] {
      rotate_heads(cpu, rows, {.heads = 14, .head_dim = 64, .rotary_dim = 64}, {.data = angles.data(), .stride = 32},
                   {.data = angles.data(), .stride = 32});
    });
    report("silu gate", [&] {
      gate(cpu, GateActivation::kSilu, gates, {.data = both.data() + inner, .stride = 2 * inner}, out.data(), inner);
    });
    report("gelu gate", [&] {
      gate(cpu, GateActivation::kGeluTanh, gates, {.data = both.data() + inner, .stride = 2 * inner}, out.data(),
           inner);
    });
  }
}

// The adapters of a block of 0.5 B, rank 16 on all seven linears, beside the block's own linears in int8; layers enough
// that none finds its numbers in a cache. "of read": the time that memory takes for the factors that the step reads.
void bench_lora(const Cpu& cpu, Words words) {
  constexpr std::int64_t kRank = 16;
  struct Linear {
    std::int64_t out, in;
  };
  constexpr Linear kLinears[] = {{896, 896}, {128, 896}, {128, 896}, {896, 896}, {4864, 896}, {4864, 896}, {896, 4864}};
  fmt::print("{:>4} {:>8} {:>10} {:>10} {:>7} {:>10} {:>7} {:>11}\n", "n", "adapters", "linears us", "lora us", "more",
             "MB", "GB/s", "of read");
  for (const auto& [n, adapters] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 1}, {4, 1}, {64, 1}, {64, 4}, {64, 64}, {512, 1}}) {
    if (!wanted(words, fmt::format("n={} adapters={}", n, adapters))) continue;
    std::vector<LoraMatrices> matrices;
    std::vector<PackedMatrix> linears;
    const std::vector<float> numbers = random_floats(std::size_t{4864} * kRank, 1);
    for (const Linear& linear : kLinears) {
      matrices.push_back(
          {{numbers.data(), kRank, linear.in, linear.in}, {numbers.data(), linear.out, kRank, kRank}, 1});
      linears.push_back(pack({WeightFormat::kInt8, linear.out, linear.in, 0}, 1));
    }
    std::vector<PackedAdapter> held;
    for (std::size_t bytes = 0; bytes < (std::size_t{192} << 20) || std::ssize(held) < adapters;
         bytes += held.back().bytes()) {
      held.emplace_back(matrices);
    }
    const std::size_t layers = held.size() / static_cast<std::size_t>(adapters);
    const std::vector<float> x = random_floats(static_cast<std::size_t>(n * 4864), 2);
    std::vector<float> y(x.size());
    std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
    std::iota(rows.begin(), rows.end(), 0);
    const auto rows_of = [&](std::size_t linear) { return InputRows{x.data(), n, kLinears[linear].in}; };
    const auto out_of = [&](std::size_t linear) { return OutputRows{y.data(), kLinears[linear].out}; };
    const double read0 = probe_read_bytes_per_second(cpu, kProbeSeconds);
    const double own = best_seconds(0.2, [&](std::size_t) {
      for (std::size_t i = 0; i < linears.size(); ++i) linears[i].multiply(cpu, rows_of(i), out_of(i));
    });
    const double added = best_seconds(0.2, [&](std::size_t round) {
      const std::size_t first = round % layers * static_cast<std::size_t>(adapters);
      for (std::size_t i = 0; i < linears.size(); ++i) {
        std::vector<LoraSegment> segments;
        for (std::int64_t a = 0; a < adapters; ++a) {
          const auto own = static_cast<std::size_t>(n / adapters), at = static_cast<std::size_t>(a);
          segments.push_back({held[first + at].of(i), std::span(rows).subspan(at * own, own)});
        }
        add_lora(cpu, segments, rows_of(i), out_of(i));
      }
    });
    const double read = std::max(read0, probe_read_bytes_per_second(cpu, kProbeSeconds));
    const double bytes = static_cast<double>(held[0].bytes()) * static_cast<double>(adapters);
    fmt::print("{:4} {:8} {:10.1f} {:10.1f} {:6.1f}% {:10.2f} {:7.1f} {:4.0f}% ({:3.0f})\n", n, adapters, own * 1e6,
               added * 1e6, 100 * added / own, bytes / 1e6, bytes / added / 1e9, 100 * bytes / added / read,
               read / 1e9);
    std::fflush(stdout);
  }
}

int run(int argc, char** argv) {
  const Expected<Isa> isa = active_isa();
  if (!isa) {
    fmt::print(stderr, "{}\n", isa.error().message);
    return 2;
  }
  const char* const threads = std::getenv("WEFT_THREADS");
  ThreadPool workers(threads == nullptr ? 2 : std::atoi(threads));
  const Cpu cpu{.isa = *isa, .workers = &workers};
  const std::string_view what = argc > 1 ? argv[1] : "";
  const Words words =
      Words(argv, static_cast<std::size_t>(argc)).subspan(argc > 2 ? 2 : static_cast<std::size_t>(argc));
  fmt::print("{}, {} threads\n", isa_name(*isa), workers.size());
  if (what.empty() || what == "linear") bench_linear(cpu, words);
  if (what.empty() || what == "attention") bench_attention(cpu, words);
  if (what.empty() || what == "ops") bench_ops(cpu);
  if (what.empty() || what == "lora") bench_lora(cpu, words);
  return 0;
}

}  // namespace
}  // namespace weft::model

int main(int argc, char** argv) { return weft::model::run(argc, argv); }
