#include "tests/support/cuda_on_cpu/memory.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "tests/support/cuda_on_cpu/block.h"

namespace weft::cuda_on_cpu {
namespace {

// The global arrays by address. Shared ones are reached from their declaration alone.
std::map<std::uintptr_t, Region*>& regions() {
  static std::map<std::uintptr_t, Region*> all;
  return all;
}

}  // namespace

Region::Region(std::string name, Kind kind, const void* base, std::size_t count, std::size_t element_bytes)
    : name_(std::move(name)),
      kind_(kind),
      base_(reinterpret_cast<std::uintptr_t>(base)),
      element_bytes_(element_bytes),
      cells_(count, Cell{kind == Kind::kInput, {}, {}}) {
  if (kind_ != Kind::kShared && count > 0) regions()[base_] = this;
}

Region::~Region() {
  if (kind_ != Kind::kShared && !cells_.empty()) regions().erase(base_);
}

Region& Region::containing(const void* at) {
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  const auto after = regions().upper_bound(address);
  if (after != regions().begin()) {
    Region& region = *std::prev(after)->second;
    if (address <= region.base_ + region.cells_.size() * region.element_bytes_) return region;
  }
  throw Fault("a pointer into no array that the test made");
}

void Region::touch(const void* at, std::size_t bytes, bool writing) {
  const auto offset = static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(at) - base_);
  const auto size = static_cast<std::ptrdiff_t>(element_bytes_);
  const char* what = writing ? "writes" : "reads";
  if (bytes != element_bytes_ || offset % size != 0) throw Fault(fmt::format("{} {} as another type", what, name_));
  const std::ptrdiff_t index = offset / size;
  if (index < 0 || index >= static_cast<std::ptrdiff_t>(cells_.size())) {
    throw Fault(fmt::format("{} {}[{}] of {} elements", what, name_, index, cells_.size()));
  }
  Cell& cell = cells_[static_cast<std::size_t>(index)];
  if (!writing && !cell.written) throw Fault(fmt::format("reads {}[{}], which nobody wrote", name_, index));
  const auto race = [&](const Access& other, const char* did) {
    throw Fault(fmt::format("race: {} {}[{}], which thread {} of block {} {} with no barrier between", what, name_,
                            index, other.thread, other.block, did));
  };
  if (!ordered(cell.writer)) race(cell.writer, "wrote");
  const Access here = now();
  if (writing) {
    for (const Access& reader : cell.readers) {
      if (!ordered(reader)) race(reader, "read");
    }
    cell.readers.clear();
    cell.writer = here;
    cell.written = true;
  } else if (kind_ == Kind::kShared) {
    // A thread's accesses between two barriers come in a row, so that looking at the last one keeps each reader once.
    if (!cell.readers.empty() && cell.readers.front().epoch != here.epoch) cell.readers.clear();
    const bool known = !cell.readers.empty() && cell.readers.back().thread == here.thread;
    if (known) {
      cell.readers.back() = here;
    } else {
      cell.readers.push_back(here);
    }
  }
}

}  // namespace weft::cuda_on_cpu
