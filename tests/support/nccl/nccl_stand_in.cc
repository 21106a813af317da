#include "tests/support/nccl/nccl_stand_in.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

// What a real group is behind its pointer.
struct ncclComm {
  int ranks, rank;
};

namespace weft::test {
namespace {

std::size_t size_of(ncclDataType_t type) { return type == ncclFloat64 ? 8 : type == ncclFloat32 ? 4 : 2; }

template <class T>
void multiply(const void* send, void* receive, std::size_t count, int ranks) {
  const T* from = static_cast<const T*>(send);
  T* to = static_cast<T*>(receive);
  for (std::size_t i = 0; i < count; ++i)
    to[i] = static_cast<T>(static_cast<float>(from[i]) * static_cast<float>(ranks));
}

bool takes(ncclDataType_t type) { return type == ncclFloat16 || type == ncclFloat32 || type == ncclBfloat16; }

}  // namespace

NcclStandIn& NcclStandIn::instance() {
  static NcclStandIn stand_in;
  return stand_in;
}

ncclResult_t NcclStandIn::record(const NcclCall& call) {
  calls_.push_back(call);
  return std::exchange(failure_, ncclSuccess);
}

std::size_t NcclStandIn::open_groups() const {
  std::ptrdiff_t open = 0;
  for (const NcclCall& call : calls_) {
    if (call.kind == NcclCall::Kind::kInit && call.group != nullptr) ++open;
    if (call.kind == NcclCall::Kind::kDestroy || call.kind == NcclCall::Kind::kAbort) --open;
  }
  return static_cast<std::size_t>(open);
}

}  // namespace weft::test

using weft::test::NcclCall;
using weft::test::NcclStandIn;

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  *version = 23004;
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  std::memset(id->internal, 'w', sizeof(id->internal));
  return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t* group, int ranks, ncclUniqueId id, int rank) {
  if (rank < 0 || rank >= ranks) return ncclInvalidArgument;
  NcclCall call{.kind = NcclCall::Kind::kInit, .ranks = ranks, .rank = rank, .id_byte = id.internal[0]};
  auto joined = std::make_unique<ncclComm>(ncclComm{ranks, rank});
  call.group = joined.get();
  const ncclResult_t result = NcclStandIn::instance().record(call);
  if (result == ncclSuccess) *group = joined.release();
  return result;
}

ncclResult_t ncclCommDestroy(ncclComm_t group) {
  const std::unique_ptr<ncclComm> owned(group);
  return NcclStandIn::instance().record({.kind = NcclCall::Kind::kDestroy, .group = group});
}

ncclResult_t ncclCommAbort(ncclComm_t group) {
  const std::unique_ptr<ncclComm> owned(group);
  return NcclStandIn::instance().record({.kind = NcclCall::Kind::kAbort, .group = group});
}

const char* ncclGetErrorString(ncclResult_t result) {
  return result == ncclRemoteError ? "a remote process exited or there was a network error" : "some other error";
}

ncclResult_t ncclAllReduce(const void* send, void* receive, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t operation, ncclComm_t group, cudaStream_t stream) {
  if (!weft::test::takes(type) || operation != ncclSum) return ncclInvalidArgument;
  const ncclResult_t result = NcclStandIn::instance().record({.kind = NcclCall::Kind::kAllReduce,
                                                              .group = group,
                                                              .count = count,
                                                              .type = type,
                                                              .operation = operation,
                                                              .stream = stream,
                                                              .in_place = send == receive});
  if (result != ncclSuccess) return result;
  if (type == ncclFloat32) weft::test::multiply<float>(send, receive, count, group->ranks);
  if (type == ncclBfloat16) weft::test::multiply<c10::BFloat16>(send, receive, count, group->ranks);
  if (type == ncclFloat16) weft::test::multiply<c10::Half>(send, receive, count, group->ranks);
  return ncclSuccess;
}

ncclResult_t ncclAllGather(const void* send, void* receive, std::size_t send_count, ncclDataType_t type,
                           ncclComm_t group, cudaStream_t stream) {
  if (!weft::test::takes(type)) return ncclInvalidArgument;
  const ncclResult_t result = NcclStandIn::instance().record({.kind = NcclCall::Kind::kAllGather,
                                                              .group = group,
                                                              .count = send_count,
                                                              .type = type,
                                                              .stream = stream,
                                                              .in_place = false});
  if (result != ncclSuccess) return result;
  const std::size_t bytes = send_count * weft::test::size_of(type);
  for (int rank = 0; rank < group->ranks; ++rank) {
    std::memcpy(static_cast<char*>(receive) + static_cast<std::size_t>(rank) * bytes, send, bytes);
  }
  return ncclSuccess;
}
}
