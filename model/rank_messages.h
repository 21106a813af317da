// What rank 0 tells the other ranks, and its bytes on their channels. Both ends are the same program on the same
// machine, so numbers keep their own layout. Pure.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "model/base/expected.h"
#include "model/runner.h"

namespace weft::model {

// First of all: load your slice of this model.
struct StartRank {
  std::string directory;
  DType dtype = DType::kFloat32;
  std::int32_t threads = 1;
};

struct InstallAdapter {
  AdapterId id;
  std::shared_ptr<const LoraAdapter> adapter;
};

struct RemoveAdapter {
  AdapterId id;
};

// A StepPlan: run it. StartRank and InstallAdapter are answered by a text, empty when all is well.
using RankMessage = std::variant<StartRank, StepPlan, InstallAdapter, RemoveAdapter>;

std::vector<std::byte> encode(const RankMessage& message);
// Error: bytes that `encode` did not make.
Expected<RankMessage> decode(std::span<const std::byte> bytes);

}  // namespace weft::model
