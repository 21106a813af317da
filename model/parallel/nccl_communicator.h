// NcclCommunicator: the collectives of ranks that have a GPU each, through NCCL's C interface. In the CUDA build only.
// One rank's compute thread only, but for `abort`, which is thread-safe: a dead peer leaves the others inside a kernel,
// from where only another thread can fetch them. Collectives are queued on the current stream and do not wait for it.
#pragma once

#include <nccl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "model/base/expected.h"
#include "model/parallel/communicator.h"

namespace weft::model {

struct NcclCommunicatorOptions {
  ncclUniqueId id;  // the same on every rank: rank 0 makes it and hands it over
  Rank rank;
  int size = 1;
  std::function<cudaStream_t()> current_stream;  // of the device that this rank uses; asked at each collective
};

// A name for a new group, to be handed to its ranks. Error: NCCL's.
Expected<ncclUniqueId> new_nccl_id();

class NcclCommunicator final : public Communicator {
 public:
  // Returns when all ranks have called it. The rank's device is the calling thread's current one. Error: NCCL's.
  static Expected<std::unique_ptr<NcclCommunicator>> join(NcclCommunicatorOptions options);
  ~NcclCommunicator() override;
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  [[nodiscard]] int size() const override { return options_.size; }
  [[nodiscard]] Rank rank() const override { return options_.rank; }
  // Of fp32, bf16 or fp16. The same bits on each rank; the order of the sum is NCCL's.
  at::Tensor all_reduce_sum(const at::Tensor& local) override;
  at::Tensor all_gather_last(const at::Tensor& local) override;
  void abort(const std::string& reason) noexcept override;
  [[nodiscard]] bool aborted() const override { return aborted_; }

 private:
  NcclCommunicator(NcclCommunicatorOptions options, ncclComm_t group) : options_(std::move(options)), group_(group) {}
  void check_open() const;
  void check(ncclResult_t result, const char* operation);

  NcclCommunicatorOptions options_;
  ncclComm_t group_;
  std::atomic<bool> aborted_ = false;
};

}  // namespace weft::model
