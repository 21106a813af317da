#include "model/layers/weights.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "model/base/check.h"
#include "model/kernels/thread_pool.h"

namespace weft::model {
at::Tensor Weights::tensor(const std::string& name) const {
  const auto found = tensors.find(name);
  WEFT_CHECK(found != tensors.end() || packed.contains(name));
  return found == tensors.end() ? at::Tensor() : found->second;
}

std::shared_ptr<const PackedMatrix> Weights::matrix(const std::string& name) const {
  const auto found = packed.find(name);
  return found == packed.end() ? nullptr : found->second.matrix;
}

std::int64_t Weights::features(const std::string& name) const {
  const auto found = packed.find(name);
  return found == packed.end() ? tensors.at(name).size(0) : found->second.features;
}

Expected<Weights> look_up_weights(const ModelConfig& config, const WeightLookup& lookup, const Packing* packing,
                                  const Communicator& communicator) {
  const auto plan = ShardPlan::make(communicator.size(), sharded_sizes(config));
  if (!plan) return plan.error();
  Weights out;
  if (packing != nullptr) out.cpu = packing->cpu;
  const int experts = config.experts ? config.experts->count : 0;
  const auto [begin, end] = share_of_experts(experts, communicator.rank(), communicator.size());
  std::vector<WeightSpec> specs = weight_specs(config);
  std::erase_if(
      specs, [&](const WeightSpec& spec) { return spec.expert >= 0 && (spec.expert < begin || spec.expert >= end); });
  std::unordered_map<std::string, std::vector<WeightSpec>> groups;
  if (packing != nullptr) {
    for (const WeightSpec& spec : specs) {
      if (!spec.packed_as.empty()) groups[spec.packed_as].push_back(spec);
    }
  }
  for (const WeightSpec& spec : specs) {
    const auto group = groups.find(spec.packed_as);
    if (group == groups.end()) {
      Expected<at::Tensor> tensor = lookup(spec);
      if (!tensor) return tensor.error();
      out.tensors.emplace(spec.name, *std::move(tensor));
    } else if (spec.name == group->second.front().name) {  // with the first of them come all
      Expected<PackedMatrix> packed = packing->pack(group->second);
      if (!packed) return packed.error();
      const auto shared = std::make_shared<const PackedMatrix>(*std::move(packed));
      for (const WeightSpec& part : group->second) {
        const ShardSlice rows = plan->slice(part.shard, part.shape, communicator.rank());
        out.packed.emplace(part.name, PackedPart{shared, rows.dimension == 0 ? rows.padded_length() : part.shape[0]});
      }
    }
  }
  return out;
}

Expected<const Cpu*> serving_cpu(int threads) {
  static const Expected<Isa> isa = active_isa();
  if (!isa) return isa.error();
  if (threads <= 0) threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  struct Serving {
    explicit Serving(int count) : pool(count) {}
    ThreadPool pool;
    Cpu cpu{*isa, &pool};
  };
  static std::mutex mutex;
  // Never destroyed: where a program ends while a step is under way, its threads end with it.
  static auto& by_threads = *new std::map<int, Serving>();
  const std::lock_guard lock(mutex);
  return &by_threads.try_emplace(threads, threads).first->second.cpu;
}

}  // namespace weft::model
