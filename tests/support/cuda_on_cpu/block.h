// The grid of an emulated kernel: the blocks run one after the other, the threads of a block as fibers that meet at
// barriers. A barrier is a meeting of all threads at one place of the source: a thread that ends or waits elsewhere
// meanwhile is a fault, stricter than the hardware, since that is never meant. Test thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tests/support/cuda_on_cpu/memory.h"

namespace weft::cuda_on_cpu {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};
inline Dim3 threadIdx, blockIdx, blockDim, gridDim;  // of the running thread
inline constexpr unsigned kWarp = 32;

// A place in a kernel's source that can be left out, to see whether a test notices.
struct Site {
  enum class Kind { kBarrier, kWarpBarrier, kGuard };
  Kind kind;
  std::string_view file;  // __FILE__
  int line;
  bool operator<(const Site& other) const {
    return std::tie(kind, file, line) < std::tie(other.kind, other.file, other.line);
  }
  bool operator==(const Site& other) const { return !(*this < other) && !(other < *this); }
};
// What all launches since forget_sites() came by, sorted.
std::vector<Site> sites_seen();
void forget_sites();
// The one site that launches do without: a barrier where nobody waits, a guard that lets everyone through.
void leave_out(std::optional<Site> site);

// The order in which threads that could all go on do so; a right kernel gives the same in all.
enum class Order { kForward, kBackward };
void set_order(Order order);

// Runs `kernel` once a thread. Throws Fault, with the block and thread in its message.
void launch(Dim3 grid, Dim3 block, std::size_t dynamic_shared_bytes, const std::function<void()>& kernel);

// What kernels call. A barrier's threads must come to the same file and line.
void block_barrier(const char* file, int line);
void warp_barrier(const char* file, int line, std::uint32_t mask);
bool guard(const char* file, int line, bool condition);
// The value of the lane whose number is this one's xor `lane_mask`; every lane of `mask` must come here.
float shuffle_xor(std::uint32_t mask, float value, unsigned lane_mask);

// The array that all threads of a block get for one declaration: `name` at `line`.
class SharedArray {
 public:
  SharedArray(const char* name, std::size_t count, std::size_t element_bytes)
      : bytes_(count * element_bytes + kAlignment),
        region_(name, Region::Kind::kShared, data(), count, element_bytes) {}
  std::byte* data() {
    const auto past = reinterpret_cast<std::uintptr_t>(bytes_.data()) % kAlignment;
    return bytes_.data() + (kAlignment - past) % kAlignment;
  }
  Region& region() { return region_; }

 private:
  static constexpr std::size_t kAlignment = 16;  // what vector accesses want
  std::vector<std::byte> bytes_;
  Region region_;
};
SharedArray& shared_array(const char* name, int line, std::size_t count, std::size_t element_bytes);
std::size_t dynamic_shared_bytes();  // of the launch

template <class T>
Pointer<T> shared(const char* name, int line, std::size_t count) {
  SharedArray& array = shared_array(name, line, count, sizeof(T));
  return Pointer<T>(array.region(), reinterpret_cast<T*>(array.data()));
}

// For memory.cc: the running thread, and whether it comes after `before`.
Access now();
bool ordered(const Access& before);

}  // namespace weft::cuda_on_cpu
