#include "model/parallel/shm_communicator.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <thread>

#include "model/base/check.h"
#include "model/config/shard_plan.h"
#include "model/parallel/futex.h"

namespace weft::model {
namespace {

constexpr std::size_t kSlotBytes = std::size_t{1} << 20;  // larger tensors go in pieces
constexpr std::size_t kReasonBytes = 256;
constexpr std::size_t kLine = 64;  // bytes that processors share as one
constexpr std::chrono::milliseconds kLook{10};
constexpr int kSpins = 2000;

enum class Operation : std::uint32_t { kSum = 1, kGather };
enum AbortState : std::uint32_t { kRunning, kAborting, kAborted };

using Words = std::atomic<std::uint32_t>;
static_assert(Words::is_always_lock_free && sizeof(Words) == sizeof(std::uint32_t));

}  // namespace

// What a rank is about to exchange; the same for all, or they have lost step.
struct ShmCommunicator::Description {
  Operation operation;
  std::uint32_t dtype;
  std::uint64_t bytes;
  bool operator==(const Description&) const = default;
};

struct alignas(kLine) ShmCommunicator::Control {
  Words state;  // AbortState
  char reason[kReasonBytes];
};

struct alignas(kLine) ShmCommunicator::RankLine {
  Words arrived;  // at which collective
  Description descriptions[2];
};

std::size_t ShmCommunicator::memory_bytes(int size) {
  return sizeof(Control) + static_cast<std::size_t>(size) * (sizeof(RankLine) + 2 * kSlotBytes);
}

ShmCommunicator::ShmCommunicator(SharedMemory memory, ShmCommunicatorOptions options)
    : memory_(std::move(memory)), options_(std::move(options)) {
  WEFT_CHECK(options_.size >= 1 && options_.size <= kMaxRanks && memory_.size() == memory_bytes(options_.size));
  // With a processor for each rank a short wait needs no system call; with fewer, spinning keeps the others from it.
  spins_ = static_cast<unsigned>(options_.size) <= std::thread::hardware_concurrency() ? kSpins : 0;
}

ShmCommunicator::Control& ShmCommunicator::control() const { return *reinterpret_cast<Control*>(memory_.data()); }

ShmCommunicator::RankLine& ShmCommunicator::line(int rank) const {
  return reinterpret_cast<RankLine*>(memory_.data() + sizeof(Control))[rank];
}

std::byte* ShmCommunicator::slot(int rank) const {
  const auto size = static_cast<std::size_t>(options_.size);
  const std::size_t index = static_cast<std::size_t>(rank) * 2 + collective_ % 2;
  return memory_.data() + sizeof(Control) + size * sizeof(RankLine) + index * kSlotBytes;
}

void ShmCommunicator::exchange(const Description& description, const void* data) {
  throw_if_aborted();
  ++collective_;
  const int own = options_.rank.value();
  std::memcpy(slot(own), data, description.bytes);
  line(own).descriptions[collective_ % 2] = description;
  line(own).arrived.store(collective_, std::memory_order_release);
  futex_wake_all(line(own).arrived);
  for (int peer = 0; peer < options_.size; ++peer) {
    if (peer == own) continue;
    wait_for(peer);
    const Description& theirs = line(peer).descriptions[collective_ % 2];
    if (theirs == description) continue;
    fail(fmt::format("rank {} is not where rank {} is: it exchanges {} bytes, not {}", peer, own, theirs.bytes,
                     description.bytes));
  }
}

void ShmCommunicator::wait_for(int peer) {
  const Words& arrived = line(peer).arrived;
  // Numbers wrap around; a peer is at most one collective ahead.
  const auto there = [&] {
    return static_cast<std::int32_t>(arrived.load(std::memory_order_acquire) - collective_) >= 0;
  };
  for (int i = 0; i < spins_; ++i) {
    if (there()) return;
    pause_processor();
  }
  const auto since = std::chrono::steady_clock::now();
  while (!there()) {
    throw_if_aborted();
    const std::uint32_t seen = arrived.load(std::memory_order_acquire);
    if (static_cast<std::int32_t>(seen - collective_) >= 0) return;
    if (futex_wait(arrived, seen, kLook)) continue;
    if (options_.peer_failure) {
      if (const auto failure = options_.peer_failure()) fail(*failure);
    }
    if (std::chrono::steady_clock::now() - since > options_.patience) {
      fail(fmt::format("rank {} has not come to the exchange for {} s", peer, options_.patience.count() / 1000));
    }
  }
}

at::Tensor ShmCommunicator::all_reduce_sum(const at::Tensor& local) {
  if (options_.size == 1) return local;
  const at::Tensor input = local.contiguous();
  at::Tensor out = at::empty(input.sizes(), input.options());
  const at::Tensor from = input.view({-1}), to = out.view({-1});
  const auto step = static_cast<std::int64_t>(kSlotBytes / input.element_size());
  for (std::int64_t begin = 0; begin < from.numel(); begin += step) {
    const std::int64_t count = std::min(step, from.numel() - begin);
    const at::Tensor piece = from.narrow(0, begin, count);
    exchange({Operation::kSum, static_cast<std::uint32_t>(input.scalar_type()), piece.nbytes()},
             piece.const_data_ptr());
    const auto share = [&](int rank) { return at::from_blob(slot(rank), {count}, input.options()); };
    at::Tensor sum = share(0).to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
    for (int rank = 1; rank < options_.size; ++rank) sum.add_(share(rank));
    to.narrow(0, begin, count).copy_(sum);
  }
  return out;
}

at::Tensor ShmCommunicator::all_gather_last(const at::Tensor& local) {
  if (options_.size == 1) return local;
  const at::Tensor input = local.contiguous();
  const at::Tensor from = input.view({-1});
  const at::Tensor gathered = at::empty({options_.size, from.numel()}, input.options());
  const auto step = static_cast<std::int64_t>(kSlotBytes / input.element_size());
  for (std::int64_t begin = 0; begin < from.numel(); begin += step) {
    const at::Tensor piece = from.narrow(0, begin, std::min(step, from.numel() - begin));
    exchange({Operation::kGather, static_cast<std::uint32_t>(input.scalar_type()), piece.nbytes()},
             piece.const_data_ptr());
    for (int rank = 0; rank < options_.size; ++rank) {
      std::memcpy(gathered.select(0, rank).narrow(0, begin, piece.numel()).mutable_data_ptr(), slot(rank),
                  piece.nbytes());
    }
  }
  std::vector<std::int64_t> shape = input.sizes().vec();
  const std::int64_t last = shape.back();
  shape.back() = last * options_.size;
  // [R, rows, last] -> [rows, R * last]
  return gathered.view({options_.size, -1, last}).transpose(0, 1).reshape(shape);
}

void ShmCommunicator::abort(const std::string& reason) noexcept {
  std::uint32_t running = kRunning;
  if (!control().state.compare_exchange_strong(running, kAborting)) return;  // the first reason is the cause
  const std::size_t length = std::min(reason.size(), kReasonBytes - 1);
  std::memcpy(control().reason, reason.data(), length);
  control().reason[length] = '\0';
  control().state.store(kAborted, std::memory_order_release);
  for (int rank = 0; rank < options_.size; ++rank) futex_wake_all(line(rank).arrived);
}

bool ShmCommunicator::aborted() const { return control().state.load(std::memory_order_acquire) != kRunning; }

void ShmCommunicator::fail(const std::string& reason) {
  abort(reason);
  throw CommunicatorError(reason);
}

void ShmCommunicator::throw_if_aborted() const {
  const std::uint32_t state = control().state.load(std::memory_order_acquire);
  if (state == kRunning) return;
  throw CommunicatorError(state == kAborted ? std::string(control().reason) : "another rank gave up");
}

}  // namespace weft::model
