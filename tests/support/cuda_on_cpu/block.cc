#include "tests/support/cuda_on_cpu/block.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace weft::cuda_on_cpu {
namespace {

namespace context = boost::context;

constexpr std::size_t kStackBytes = 128 * 1024;

// What a thread waits for. Threads meet when all of this but the value is the same.
struct Wait {
  enum class Kind { kNothing, kBlock, kWarp, kShuffle } kind = Kind::kNothing;
  const char* file = "";
  int line = 0;
  std::uint32_t mask = 0;       // of lanes, kWarp and kShuffle
  unsigned lane_mask = 0;       // kShuffle
  float value = 0, result = 0;  // kShuffle

  [[nodiscard]] bool meets(const Wait& other) const {
    return kind == other.kind && std::string_view(file) == other.file && line == other.line && mask == other.mask;
  }
};

// A stack, and what AddressSanitizer has to be told when execution moves to it from another and when it arrived.
struct Stack {
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  void* hidden = nullptr;  // of AddressSanitizer

  void leave([[maybe_unused]] const Stack& for_stack, [[maybe_unused]] bool for_ever = false) {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(for_ever ? nullptr : &hidden, for_stack.bottom, for_stack.bytes);
#endif
  }
  void arrive([[maybe_unused]] Stack& from) {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(hidden, &from.bottom, &from.bytes);
#endif
  }
};

struct Stopped {};  // thrown in a thread that waits while its block is given up

struct Thread {
  context::fiber fiber;
  Stack stack;
  Dim3 index;
  bool ended = false;
  Wait wait;
  std::string fault;  // empty: none
  std::uint32_t tick = 0;
  std::array<std::uint32_t, kWarp> seen{};  // of each lane of the warp: its ticks that came before
};

// The block that runs.
class Block {
 public:
  Block(Dim3 size, std::uint32_t number, std::uint32_t launch, Order order)
      : number_(number), launch_(launch), order_(order), threads_(std::size_t{size.x} * size.y * size.z) {
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      const auto at = static_cast<unsigned>(i);
      threads_[i].index = {at % size.x, at / size.x % size.y, at / size.x / size.y};
    }
  }
  ~Block();  // ends the threads that a fault left waiting
  void run(const std::function<void()>& kernel);
  float wait(const Wait& wait);

  [[nodiscard]] Access now() const {
    return {launch_, number_, static_cast<std::uint32_t>(running_), epoch_, threads_[running_].tick};
  }
  [[nodiscard]] bool ordered(const Access& before) const;
  SharedArray& shared(const char* name, int line, std::size_t count, std::size_t element_bytes);

 private:
  void start(Thread& thread, const std::function<void()>& kernel);
  void switch_to(std::size_t thread);
  void resume(std::size_t thread);
  bool resume_all();  // whether one could go on
  void meet();        // lets those go on whose meeting is complete; Fault where none is
  bool meet_warp(std::size_t first);
  void join_warp(const std::vector<std::size_t>& lanes);
  [[noreturn]] void stuck() const;
  [[nodiscard]] std::string place(std::size_t thread) const;

  std::uint32_t number_, launch_;
  Order order_;
  std::map<std::pair<int, std::string>, std::unique_ptr<SharedArray>> shared_;
  std::vector<Thread> threads_;
  context::fiber scheduler_;
  Stack scheduler_stack_;
  bool stopping_ = false;
  std::size_t running_ = 0;
  std::uint32_t epoch_ = 0;
};

struct State {
  Block* block = nullptr;
  std::uint32_t launches = 0;
  std::size_t dynamic_shared_bytes = 0;
  std::set<Site> seen;
  std::optional<Site> left_out;
  Order order = Order::kForward;
};
State& state() {
  static State instance;
  return instance;
}

// Whether launches do without this site.
bool left_out(Site::Kind kind, const char* file, int line) {
  const Site site{kind, file, line};
  state().seen.insert(site);
  return state().left_out == site;
}

Block::~Block() {
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (!threads_[i].fiber) continue;
    stopping_ = true;
    switch_to(i);
  }
}

void Block::start(Thread& thread, const std::function<void()>& kernel) {
  static context::pooled_fixedsize_stack stacks(kStackBytes);
  const context::stack_context stack = stacks.allocate();
  thread.stack = {static_cast<std::byte*>(stack.sp) - stack.size, stack.size, nullptr};
  const context::preallocated place(stack.sp, stack.size, stack);
  thread.fiber =
      context::fiber(std::allocator_arg, place, stacks, [this, &thread, &kernel](context::fiber&& scheduler) {
        thread.stack.arrive(scheduler_stack_);
        scheduler_ = std::move(scheduler);
        try {
          if (!stopping_) kernel();
        } catch (const Fault& fault) {
          thread.fault = fault.what();
        } catch (const Stopped&) {
        }
        thread.ended = true;
        thread.stack.leave(scheduler_stack_, true);
        return std::move(scheduler_);
      });
}

void Block::run(const std::function<void()>& kernel) {
  for (Thread& thread : threads_) start(thread, kernel);
  while (resume_all() || std::any_of(threads_.begin(), threads_.end(), [](const Thread& t) { return !t.ended; })) {
    meet();
  }
}

bool Block::resume_all() {
  bool any = false;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    const std::size_t thread = order_ == Order::kForward ? i : threads_.size() - 1 - i;
    if (threads_[thread].ended || threads_[thread].wait.kind != Wait::Kind::kNothing) continue;
    resume(thread);
    any = true;
  }
  return any;
}

void Block::switch_to(std::size_t thread) {
  Thread& next = threads_[thread];
  running_ = thread;
  threadIdx = next.index;
  scheduler_stack_.leave(next.stack);
  next.fiber = std::move(next.fiber).resume();
  scheduler_stack_.arrive(next.stack);
}

void Block::resume(std::size_t thread) {
  switch_to(thread);
  if (!threads_[thread].fault.empty()) throw Fault(fmt::format("{}: {}", place(thread), threads_[thread].fault));
}

float Block::wait(const Wait& wait) {
  Thread& self = threads_[running_];
  self.wait = wait;
  self.stack.leave(scheduler_stack_);
  scheduler_ = std::move(scheduler_).resume();
  self.stack.arrive(scheduler_stack_);
  if (stopping_) throw Stopped{};
  return self.wait.result;
}

void Block::meet() {
  bool met = false;
  for (std::size_t first = 0; first < threads_.size(); ++first) met = meet_warp(first) || met;
  if (met || std::all_of(threads_.begin(), threads_.end(), [](const Thread& t) { return t.ended; })) return;
  const Wait& common = threads_.front().wait;
  const bool all = std::all_of(threads_.begin(), threads_.end(), [&](const Thread& thread) {
    return !thread.ended && thread.wait.kind == Wait::Kind::kBlock && thread.wait.meets(common);
  });
  if (!all) stuck();
  ++epoch_;
  for (Thread& thread : threads_) thread.wait.kind = Wait::Kind::kNothing;
}

// The meeting that thread `first` waits for, when it is one of lanes and complete.
bool Block::meet_warp(std::size_t first) {
  const Wait wait = threads_[first].wait;
  if (threads_[first].ended || (wait.kind != Wait::Kind::kWarp && wait.kind != Wait::Kind::kShuffle)) return false;
  const std::size_t warp = first / kWarp * kWarp;
  if ((wait.mask >> (first % kWarp) & 1U) == 0) throw Fault(place(first) + ": is not in the mask that it gives");
  std::vector<std::size_t> lanes;
  for (std::size_t lane = 0; lane < kWarp; ++lane) {
    if ((wait.mask >> lane & 1U) == 0) continue;
    const std::size_t other = warp + lane;
    if (other >= threads_.size()) throw Fault(place(first) + ": a mask with lanes that the block does not have");
    if (threads_[other].ended || !threads_[other].wait.meets(wait)) return false;
    lanes.push_back(other);
  }
  for (const std::size_t lane : lanes) {
    Wait& own = threads_[lane].wait;
    if (own.kind == Wait::Kind::kShuffle) {
      const std::size_t from = lane % kWarp ^ own.lane_mask;
      if (from >= kWarp || (wait.mask >> from & 1U) == 0) {
        throw Fault(fmt::format("{}: takes the value of lane {}, which is not in the mask", place(lane), from));
      }
      own.result = threads_[warp + from].wait.value;
    }
  }
  if (wait.kind == Wait::Kind::kWarp) join_warp(lanes);
  for (const std::size_t lane : lanes) threads_[lane].wait.kind = Wait::Kind::kNothing;
  return true;
}

// After a warp barrier each of its lanes knows what any of them knew, and what all did until now.
void Block::join_warp(const std::vector<std::size_t>& lanes) {
  std::array<std::uint32_t, kWarp> all{};
  for (const std::size_t lane : lanes) {
    for (std::size_t i = 0; i < kWarp; ++i) all[i] = std::max(all[i], threads_[lane].seen[i]);
  }
  for (const std::size_t lane : lanes) all[lane % kWarp] = ++threads_[lane].tick;
  for (const std::size_t lane : lanes) threads_[lane].seen = all;
}

bool Block::ordered(const Access& before) const {
  if (before.launch != launch_) return true;
  if (before.block != number_) return false;
  if (before.thread == running_ || before.epoch != epoch_) return true;
  return before.thread / kWarp == running_ / kWarp && threads_[running_].seen[before.thread % kWarp] > before.tick;
}

SharedArray& Block::shared(const char* name, int line, std::size_t count, std::size_t element_bytes) {
  auto& array = shared_[{line, name}];
  if (!array) array = std::make_unique<SharedArray>(name, count, element_bytes);
  return *array;
}

std::string Block::place(std::size_t thread) const {
  const Dim3& at = blockIdx;
  return fmt::format("block ({}, {}, {}), thread {}", at.x, at.y, at.z, thread);
}

void Block::stuck() const {
  std::map<std::string, std::size_t> where;
  for (const Thread& thread : threads_) {
    ++where[thread.ended ? "ended" : fmt::format("wait at {}:{}", thread.wait.file, thread.wait.line)];
  }
  std::string text = "threads that will never meet:";
  for (const auto& [what, count] : where) text += fmt::format(" {} {};", count, what);
  throw Fault(fmt::format("block ({}, {}, {}): {}", blockIdx.x, blockIdx.y, blockIdx.z, text));
}

}  // namespace

std::vector<Site> sites_seen() { return {state().seen.begin(), state().seen.end()}; }
void forget_sites() { state().seen.clear(); }
void leave_out(std::optional<Site> site) { state().left_out = std::move(site); }
void set_order(Order order) { state().order = order; }

void launch(Dim3 grid, Dim3 block, std::size_t dynamic_shared_bytes, const std::function<void()>& kernel) {
  ++state().launches;
  state().dynamic_shared_bytes = dynamic_shared_bytes;
  gridDim = grid;
  blockDim = block;
  const unsigned blocks = grid.x * grid.y * grid.z;
  for (unsigned i = 0; i < blocks; ++i) {
    const unsigned number = state().order == Order::kForward ? i : blocks - 1 - i;
    blockIdx = {number % grid.x, number / grid.x % grid.y, number / grid.x / grid.y};
    Block running(block, number, state().launches, state().order);
    state().block = &running;
    running.run(kernel);
  }
}

void block_barrier(const char* file, int line) {
  if (left_out(Site::Kind::kBarrier, file, line)) return;
  state().block->wait({Wait::Kind::kBlock, file, line, 0, 0, 0, 0});
}
void warp_barrier(const char* file, int line, std::uint32_t mask) {
  if (left_out(Site::Kind::kWarpBarrier, file, line)) return;
  state().block->wait({Wait::Kind::kWarp, file, line, mask, 0, 0, 0});
}
bool guard(const char* file, int line, bool condition) { return left_out(Site::Kind::kGuard, file, line) || condition; }
float shuffle_xor(std::uint32_t mask, float value, unsigned lane_mask) {
  return state().block->wait({Wait::Kind::kShuffle, "", 0, mask, lane_mask, value, 0});
}

SharedArray& shared_array(const char* name, int line, std::size_t count, std::size_t element_bytes) {
  return state().block->shared(name, line, count, element_bytes);
}
std::size_t dynamic_shared_bytes() { return state().dynamic_shared_bytes; }
Access now() { return state().block->now(); }
bool ordered(const Access& before) { return state().block->ordered(before); }

}  // namespace weft::cuda_on_cpu
