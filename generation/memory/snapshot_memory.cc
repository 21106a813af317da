#include "generation/memory/snapshot_memory.h"

#include <utility>

namespace weft::generation {
namespace {

class SnapshotMemory final : public TokenMemory {
 public:
  SnapshotMemory(std::shared_ptr<const SuffixPlaces> file, ProjectText project,
                 std::shared_ptr<const EnvironmentIndex> environment)
      : file_(std::move(file)), project_(std::move(project)), environment_(std::move(environment)) {}

  [[nodiscard]] std::vector<Evidence> look_up(std::span<const TokenId> context) const override {
    std::vector<Evidence> evidence;
    const auto add = [&evidence](MemorySource source, SuffixMatch match) {
      if (match.length > 0) evidence.push_back({source, match.length, std::move(match.continuations)});
    };
    if (file_) add(MemorySource::kFile, file_->longest_match(context));
    if (project_.places) add(MemorySource::kProject, project_.places->longest_match(context, project_.own));
    if (environment_) add(MemorySource::kEnvironment, environment_->longest_match(context));
    return evidence;
  }

 private:
  const std::shared_ptr<const SuffixPlaces> file_;
  const ProjectText project_;
  const std::shared_ptr<const EnvironmentIndex> environment_;
};

}  // namespace

std::shared_ptr<const TokenMemory> make_memory(std::shared_ptr<const SuffixPlaces> file, ProjectText project,
                                               std::shared_ptr<const EnvironmentIndex> environment) {
  return std::make_shared<const SnapshotMemory>(std::move(file), std::move(project), std::move(environment));
}

}  // namespace weft::generation
