// CPUID and XGETBV, and the request for AMX. Leaf and bit numbers are those of Intel's and AMD's manuals.
#include "model/kernels/cpu_isa.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace weft::model {
namespace {

constexpr std::array kNames = {
    std::pair{Isa::kReference, std::string_view("reference")},
    std::pair{Isa::kAvx2, std::string_view("avx2")},
    std::pair{Isa::kAvx512Vnni, std::string_view("avx512")},
    std::pair{Isa::kAvx512Bf16, std::string_view("avx512bf16")},
    std::pair{Isa::kAmx, std::string_view("amx")},
};

#if defined(__x86_64__)
struct Leaf {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

Leaf cpuid(unsigned leaf, unsigned subleaf) {
  Leaf out;
  __get_cpuid_count(leaf, subleaf, &out.a, &out.b, &out.c, &out.d);  // leaves zeros where there is no such leaf
  return out;
}

bool all(unsigned value, std::initializer_list<int> bits) {
  for (const int bit : bits) {
    if ((value >> bit & 1U) == 0) return false;
  }
  return true;
}

std::uint64_t saved_states() {
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}

bool may_use_tiles() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

Isa detect() {
  const Leaf basic = cpuid(1, 0), extended = cpuid(7, 0), extended1 = cpuid(7, 1);
  if (!all(basic.c, {12, 27, 28, 29})) return Isa::kReference;  // FMA, OSXSAVE, AVX, F16C
  const std::uint64_t states = saved_states();
  if ((states & 0x6U) != 0x6U || !all(extended.b, {5})) return Isa::kReference;  // xmm and ymm; AVX2
  const bool avx512 = (states & 0xe6U) == 0xe6U && all(extended.b, {16, 17, 30, 31}) && all(extended.c, {11});
  if (!avx512) return Isa::kAvx2;
  if (!all(extended1.a, {5})) return Isa::kAvx512Vnni;
  const bool amx = (states >> 17 & 3U) == 3U && all(extended.d, {22, 24, 25});
  return amx && may_use_tiles() ? Isa::kAmx : Isa::kAvx512Bf16;
}
#else
Isa detect() { return Isa::kReference; }
#endif

}  // namespace

std::string_view isa_name(Isa isa) {
  for (const auto& [named, name] : kNames) {
    if (named == isa) return name;
  }
  WEFT_CHECK(false);
}

Isa detect_isa() {
  static const Isa best = detect();
  return best;
}

std::vector<Isa> isas_up_to(Isa best) {
  std::vector<Isa> out;
  for (const auto& [isa, name] : kNames) {
    if (isa <= best) out.push_back(isa);
  }
  return out;
}

Expected<Isa> choose_isa(std::optional<std::string_view> wanted, Isa best) {
  if (!wanted || wanted->empty()) return best;
  std::string known;
  for (const auto& [isa, name] : kNames) {
    if (name == *wanted) {
      if (isa <= best) return isa;
      return make_error("WEFT_CPU_ISA={}: this processor has no more than {}", *wanted, isa_name(best));
    }
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return make_error("WEFT_CPU_ISA={}: unknown instruction set; known are {}", *wanted, known);
}

Expected<Isa> active_isa() {
  const char* const wanted = std::getenv("WEFT_CPU_ISA");
  return choose_isa(wanted == nullptr ? std::nullopt : std::optional<std::string_view>(wanted), detect_isa());
}

}  // namespace weft::model
