// Running the probes' loops: repetitions until the time is up, the best counts.
#include "model/kernels/probe.h"

#include <chrono>
#include <vector>

#include "model/kernels/aligned_buffer.h"
#include "model/kernels/probe_loops.h"

namespace weft::model {
namespace {

template <class T>
void keep(T& value) {
  __asm__ volatile("" : "+r"(value));
}

void float32_loop(std::int64_t rounds) {
  float sums[16] = {};
  float factor = 0.5F;
  for (std::int64_t i = 0; i < rounds; ++i) {
    for (float& sum : sums) sum = sum * factor + 1.0F;
    float* at = sums;
    keep(at);
  }
}

void integer_loop(std::int64_t rounds) {
  std::int32_t sums[16] = {};
  std::int32_t factor = 3;
  for (std::int64_t i = 0; i < rounds; ++i) {
    for (std::int32_t& sum : sums) sum = (sum & 0xffff) * factor + 1;
    std::int32_t* at = sums;
    keep(at);
  }
}

std::uint64_t read_words(const std::byte* data, std::size_t bytes) {
  const auto* const words = reinterpret_cast<const std::uint64_t*>(data);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes / 8; ++i) sum += words[i];
  return sum;
}

double best_rate(const Cpu& cpu, double seconds, double work, const std::function<void(int)>& task) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  double best = 0;
  for (;;) {
    const Clock::time_point start = Clock::now();
    cpu.workers->run(cpu.workers->size(), task);
    const Clock::time_point end = Clock::now();
    best = std::max(best, work / std::chrono::duration<double>(end - start).count());
    if (std::chrono::duration<double>(end - begin).count() > seconds) return best;
  }
}

double best_rate(const Cpu& cpu, double seconds, const ProbeLoop& loop) {
  const auto rounds = static_cast<std::int64_t>(2e6 / loop.ops_per_round) + 1;
  const double ops = static_cast<double>(rounds * cpu.workers->size()) * loop.ops_per_round;
  return best_rate(cpu, seconds, ops, [&](int) { loop.run(rounds); });
}

}  // namespace

ProbeLoops reference_probe_loops() {
  return {.float32 = {float32_loop, 32}, .int8 = {integer_loop, 32}, .int4 = {integer_loop, 32}, .read = read_words};
}

const ProbeLoops& probe_loops(Isa isa) {
  static const auto tables = [] {
    std::vector<ProbeLoops> out = {reference_probe_loops()};
#if defined(__x86_64__)
    for (std::size_t i = 1; i <= static_cast<std::size_t>(detect_isa()); ++i) {
      out.push_back(out.back());
      if (static_cast<Isa>(i) == Isa::kAvx2) use_avx2(out.back());
      if (static_cast<Isa>(i) == Isa::kAvx512Vnni) use_avx512(out.back());
      if (static_cast<Isa>(i) == Isa::kAmx) use_amx(out.back());
    }
#endif
    return out;
  }();
  WEFT_CHECK(isa <= detect_isa());
  return tables[static_cast<std::size_t>(isa)];
}

double probe_read_bytes_per_second(const Cpu& cpu, double seconds) {
  constexpr std::size_t kBytes = std::size_t{256} << 20, kPiece = std::size_t{1} << 20;
  AlignedBuffer buffer(kBytes);
  for (std::size_t i = 0; i < kBytes; i += 4096)
    buffer.data()[i] = std::byte{1};  // pages of its own, not the zero page
  std::atomic<std::uint64_t> sum{0};
  const ProbeLoops& loops = probe_loops(cpu.isa);
  const auto threads = static_cast<std::size_t>(cpu.workers->size()), share = kBytes / threads / kPiece * kPiece;
  const auto task = [&](int index) {
    sum += loops.read(buffer.data() + static_cast<std::size_t>(index) * share, share);
  };
  return best_rate(cpu, seconds, static_cast<double>(share * threads), task);
}

double probe_float32_ops_per_second(const Cpu& cpu, double seconds) {
  return best_rate(cpu, seconds, probe_loops(cpu.isa).float32);
}
double probe_int8_ops_per_second(const Cpu& cpu, double seconds) {
  return best_rate(cpu, seconds, probe_loops(cpu.isa).int8);
}
double probe_int4_ops_per_second(const Cpu& cpu, double seconds) {
  return best_rate(cpu, seconds, probe_loops(cpu.isa).int4);
}

}  // namespace weft::model
