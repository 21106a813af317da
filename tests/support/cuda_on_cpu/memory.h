// Memory as an emulated kernel sees it: every access is checked against the bounds of the array that it lies in,
// against reading what nobody wrote, and against accesses of other threads that no barrier separates from it. Test
// thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft::cuda_on_cpu {

// What a kernel did wrong. Leaves through the call that launched it.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Who touched an element, and when by the two clocks that barriers advance.
struct Access {
  std::uint32_t launch = 0;  // 0: nobody
  std::uint32_t block = 0, thread = 0;
  std::uint32_t epoch = 0;  // block barriers that the block had passed
  std::uint32_t tick = 0;   // warp barriers that the thread had passed
};

// One array and what happened to each of its elements.
class Region {
 public:
  enum class Kind {
    kInput,   // has values from the start
    kOutput,  // has none until a kernel writes them
    kShared,  // has none either, and reads are remembered too, so that a write after a read is seen
  };
  Region(std::string name, Kind kind, const void* base, std::size_t count, std::size_t element_bytes);
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  // Throw Fault unless the running thread may do so.
  void read(const void* at, std::size_t bytes) { touch(at, bytes, false); }
  void write(const void* at, std::size_t bytes) { touch(at, bytes, true); }
  [[nodiscard]] bool written(std::size_t index) const { return cells_[index].written; }

  // The global array that `at` lies in or at the end of; Fault where there is none.
  static Region& containing(const void* at);

 private:
  struct Cell {
    bool written;
    Access writer;
    std::vector<Access> readers;  // of the running block since its last barrier
  };
  void touch(const void* at, std::size_t bytes, bool writing);

  std::string name_;
  Kind kind_;
  std::uintptr_t base_;
  std::size_t element_bytes_;
  std::vector<Cell> cells_;
};

// What p[i] is: reads and writes go through the region.
template <class T>
class Reference {
 public:
  Reference(Region& region, T* at) : region_(region), at_(at) {}
  operator T() const { return region_.read(at_, sizeof(T)), *at_; }
  T operator=(T value) const { return region_.write(at_, sizeof(T)), *at_ = value; }
  T operator=(const Reference& other) const { return *this = static_cast<T>(other); }
  T operator+=(T value) const { return *this = static_cast<T>(static_cast<T>(*this) + value); }

 private:
  Region& region_;
  T* at_;
};

// A device pointer. Arithmetic is free, as in CUDA; an access is checked.
template <class T>
class Pointer {
 public:
  Pointer(T* raw) : region_(raw ? &Region::containing(raw) : nullptr), at_(reinterpret_cast<std::uintptr_t>(raw)) {}
  Pointer(Region& region, T* at) : region_(&region), at_(reinterpret_cast<std::uintptr_t>(at)) {}

  Pointer operator+(std::ptrdiff_t elements) const {
    Pointer moved = *this;
    moved.at_ += static_cast<std::uintptr_t>(elements) * sizeof(T);  // modulo 2^64, so that stepping back works too
    return moved;
  }
  auto operator[](std::ptrdiff_t index) const {
    const Pointer element = *this + index;
    if constexpr (std::is_const_v<T>) {
      return element.region().read(element.raw(), sizeof(T)), *element.raw();
    } else {
      return Reference<T>(element.region(), element.raw());
    }
  }
  // For vector accesses, whose address must be a multiple of their width.
  void require_aligned(std::size_t bytes) const {
    if (at_ % bytes != 0) throw Fault("a vector access at an address that is no multiple of its width");
  }

 private:
  Region& region() const {
    if (region_ == nullptr) throw Fault("an access through a null pointer");
    return *region_;
  }
  T* raw() const { return reinterpret_cast<T*>(at_); }

  Region* region_;
  std::uintptr_t at_;
};

// A global array: what cudaMalloc gives, with values or without.
template <class T>
class Buffer {
 public:
  Buffer(std::string name, std::vector<T> values)
      : values_(std::move(values)),
        region_(std::move(name), Region::Kind::kInput, values_.data(), values_.size(), sizeof(T)) {}
  Buffer(std::string name, std::size_t count)
      : values_(count), region_(std::move(name), Region::Kind::kOutput, values_.data(), count, sizeof(T)) {}
  T* data() { return values_.data(); }
  [[nodiscard]] const std::vector<T>& values() const { return values_; }
  [[nodiscard]] bool written(std::size_t index) const { return region_.written(index); }

 private:
  std::vector<T> values_;
  Region region_;
};

}  // namespace weft::cuda_on_cpu
