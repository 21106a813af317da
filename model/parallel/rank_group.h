// RankGroup: the other ranks as rank 0 sees them: started (or awaited, where a launcher such as torchrun starts every
// rank), met in a folder that only their user can enter, spoken to over one channel each, and gone with this object.
// One thread at a time, rank 0's loading thread first and its compute thread later.
//
// No rank outlives rank 0: each ends itself when its channel does, which the system closes however rank 0 ends.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/base/expected.h"
#include "model/base/strong_id.h"
#include "model/parallel/rank_channel.h"
#include "model/parallel/rank_environment.h"

namespace weft::model {

struct RankGroupOptions {
  int size = 2;
  // Run for each rank with the environment of rank_environment.h; it must call run_rank() first of all.
  std::string program = "/proc/self/exe";
  std::chrono::milliseconds join_limit{60'000};  // until all have come
};

class RankGroup {
 public:
  // Starts ranks 1 … size-1, or waits for those of the environment. Errors: a program that cannot be run or that ends
  // before it comes, a folder of someone else, the limit.
  static Expected<std::unique_ptr<RankGroup>> start(const RankGroupOptions& options);
  ~RankGroup();  // ends the ranks: asked first, killed when they do not
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;

  [[nodiscard]] int size() const { return static_cast<int>(members_.size()) + 1; }
  Expected<void> send_to_all(std::span<const std::byte> message);
  Expected<void> send_descriptor_to_all(int descriptor);
  // Waits for as long as the rank is there.
  Expected<Bytes> receive_from(Rank rank);
  // What is known of a rank that has ended: "rank 2 (process 4711) was ended by signal 9".
  std::optional<std::string> failure();

 private:
  struct Member {
    pid_t process = 0;  // 0: started by someone else
    std::optional<RankChannel> channel;
    std::string end;  // how the process ended, once that is known
  };
  explicit RankGroup(int size) : members_(static_cast<std::size_t>(size) - 1) {}
  Member& member(Rank rank) { return members_[static_cast<std::size_t>(rank.value()) - 1]; }
  Expected<void> launch(const RankGroupOptions& options, const std::string& folder);
  Expected<void> meet(const UniqueFd& listener, std::chrono::milliseconds limit);
  Expected<void> admit(RankChannel channel);
  std::optional<std::string> end_of(std::size_t index);
  std::vector<Member> members_;  // members_[i] is rank i + 1
};

// The other end: goes to the folder that the place names and says who it is. Error: rank 0 is not there in time.
Expected<RankChannel> join_group(const RankPlace& place, std::chrono::milliseconds limit);

}  // namespace weft::model
