// ShmCommunicator: the collectives of ranks that are processes of one machine, through memory that they share. One
// rank's compute thread only, one object a rank.
//
// A collective is one-shot: each rank writes its part into its own slot, waits until all have, and reads every slot in
// rank order, so that all get the same bits. Slots are double: who writes for collective k+1 cannot disturb a reader of
// collective k, since nobody reaches k+2 before all have arrived at k+1. So a collective costs one wait.
//
// Nobody waits for ever: a rank that gave up (`abort`) is noticed at once, one that ended within milliseconds by
// `peer_failure`, one that does neither after `patience`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "model/parallel/communicator.h"
#include "model/parallel/shared_memory.h"

namespace weft::model {

struct ShmCommunicatorOptions {
  Rank rank;
  int size = 1;
  // Asked every few milliseconds while waiting: what is known of a peer that has ended. May be empty where another
  // watches (rank 0 watches all; a rank ends itself when rank 0 has).
  std::function<std::optional<std::string>()> peer_failure;
  std::chrono::milliseconds patience{60'000};  // with a peer that is alive but does not come
};

class ShmCommunicator final : public Communicator {
 public:
  [[nodiscard]] static std::size_t memory_bytes(int size);
  // `memory`: memory_bytes(size) zeroed bytes that all ranks share.
  ShmCommunicator(SharedMemory memory, ShmCommunicatorOptions options);

  [[nodiscard]] int size() const override { return options_.size; }
  [[nodiscard]] Rank rank() const override { return options_.rank; }
  // Of fp32, bf16 or fp16; summed in fp32 and rounded once.
  at::Tensor all_reduce_sum(const at::Tensor& local) override;
  at::Tensor all_gather_last(const at::Tensor& local) override;
  void abort(const std::string& reason) noexcept override;
  [[nodiscard]] bool aborted() const override;
  [[nodiscard]] const SharedMemory& memory() const { return memory_; }

 private:
  struct Control;   // of the group, at the beginning of the memory
  struct RankLine;  // of one rank, behind it
  struct Description;
  [[nodiscard]] Control& control() const;
  [[nodiscard]] RankLine& line(int rank) const;
  [[nodiscard]] std::byte* slot(int rank) const;  // of the collective under way
  // Publishes `bytes` bytes of this rank and returns when every rank's can be read from its slot.
  void exchange(const Description& description, const void* data);
  void wait_for(int peer);
  [[noreturn]] void fail(const std::string& reason);
  void throw_if_aborted() const;

  SharedMemory memory_;
  ShmCommunicatorOptions options_;
  std::uint32_t collective_ = 0;  // the number of the collective under way, from 1
  int spins_;
};

}  // namespace weft::model
