#include "model/parallel/nccl_communicator.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <vector>

#include "model/base/log.h"
#include "model/parallel/nccl_version.h"

namespace weft::model {
namespace {

ncclDataType_t nccl_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return ncclFloat32;
    case at::kBFloat16:
      return ncclBfloat16;
    case at::kHalf:
      return ncclFloat16;
    default:
      throw CommunicatorError(std::string("ranks do not exchange tensors of ") + c10::toString(type));
  }
}

}  // namespace

std::string nccl_version() {
  int code = 0;
  if (ncclGetVersion(&code) != ncclSuccess) return "unknown";
  return fmt::format("{}.{}.{}", code / 10000, code / 100 % 100, code % 100);
}

Expected<ncclUniqueId> new_nccl_id() {
  ncclUniqueId id;
  const ncclResult_t result = ncclGetUniqueId(&id);
  if (result != ncclSuccess) return make_error("NCCL cannot name a group: {}", ncclGetErrorString(result));
  return id;
}

Expected<std::unique_ptr<NcclCommunicator>> NcclCommunicator::join(NcclCommunicatorOptions options) {
  ncclComm_t group = nullptr;
  const ncclResult_t result = ncclCommInitRank(&group, options.size, options.id, options.rank.value());
  if (result != ncclSuccess) {
    return make_error("rank {} of {} cannot join its NCCL group: {}", options.rank.value(), options.size,
                      ncclGetErrorString(result));
  }
  return std::unique_ptr<NcclCommunicator>(new NcclCommunicator(std::move(options), group));
}

// A group that was aborted is gone already.
NcclCommunicator::~NcclCommunicator() {
  if (!aborted_) ncclCommDestroy(group_);
}

at::Tensor NcclCommunicator::all_reduce_sum(const at::Tensor& local) {
  check_open();
  const at::Tensor input = local.contiguous();
  at::Tensor out = at::empty_like(input);
  check(ncclAllReduce(input.const_data_ptr(), out.mutable_data_ptr(), static_cast<std::size_t>(input.numel()),
                      nccl_type(input.scalar_type()), ncclSum, group_, options_.current_stream()),
        "sum");
  return out;
}

at::Tensor NcclCommunicator::all_gather_last(const at::Tensor& local) {
  check_open();
  const at::Tensor input = local.contiguous();
  const at::Tensor gathered = at::empty({options_.size, input.numel()}, input.options());
  check(ncclAllGather(input.const_data_ptr(), gathered.mutable_data_ptr(), static_cast<std::size_t>(input.numel()),
                      nccl_type(input.scalar_type()), group_, options_.current_stream()),
        "gather");
  std::vector<std::int64_t> shape = input.sizes().vec();
  const std::int64_t last = shape.back();
  shape.back() = last * options_.size;
  // [R, rows, last] -> [rows, R * last]
  return gathered.view({options_.size, -1, last}).transpose(0, 1).reshape(shape);
}

void NcclCommunicator::abort(const std::string& reason) noexcept {
  if (aborted_.exchange(true)) return;
  spdlog::warn("rank {} leaves its NCCL group: {}", options_.rank.value(), reason);
  ncclCommAbort(group_);
}

void NcclCommunicator::check_open() const {
  if (aborted_) throw CommunicatorError(fmt::format("rank {} has left its NCCL group", options_.rank.value()));
}

void NcclCommunicator::check(ncclResult_t result, const char* operation) {
  if (result == ncclSuccess) return;
  const std::string what = ncclGetErrorString(result);
  abort(what);
  throw CommunicatorError(
      fmt::format("rank {}: the {} over {} GPUs failed: {}", options_.rank.value(), operation, options_.size, what));
}

}  // namespace weft::model
