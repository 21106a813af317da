// What the stand-in for NCCL was asked, and what it is to answer. A fake for tests: every peer is taken to send what
// this rank sends, so that a sum is R times and a gather R copies of it. One thread.
#pragma once

#include <nccl.h>

#include <cstddef>
#include <vector>

namespace weft::test {

struct NcclCall {
  enum class Kind { kInit, kAllReduce, kAllGather, kDestroy, kAbort } kind;
  ncclComm_t group = nullptr;
  int ranks = 0, rank = 0;  // kInit
  char id_byte = 0;         // kInit: the first of the id
  std::size_t count = 0;
  ncclDataType_t type = ncclFloat32;
  ncclRedOp_t operation = ncclSum;
  cudaStream_t stream = nullptr;
  bool in_place = false;
};

class NcclStandIn {
 public:
  static NcclStandIn& instance();
  void reset() { *this = NcclStandIn(); }
  // The next collective or the next join answers this instead of doing anything.
  void fail_next(ncclResult_t result) { failure_ = result; }
  [[nodiscard]] const std::vector<NcclCall>& calls() const { return calls_; }
  [[nodiscard]] std::size_t open_groups() const;  // joined, neither destroyed nor aborted

  ncclResult_t record(const NcclCall& call);

 private:
  std::vector<NcclCall> calls_;
  ncclResult_t failure_ = ncclSuccess;
};

}  // namespace weft::test
