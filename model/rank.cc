#include "model/rank.h"

#include <csignal>
#include <exception>
#include <filesystem>

#include "model/base/log.h"
#include "model/load_runner.h"
#include "model/model_files.h"
#include "model/parallel/rank_environment.h"
#include "model/parallel/rank_group.h"
#include "model/parallel/shm_communicator.h"
#include "model/rank_messages.h"

namespace weft::model {
namespace {

constexpr std::chrono::minutes kLauncherPatience{1};  // between the first process of a launcher and the last

class RankWorker {
 public:
  RankWorker(RankPlace place, RankChannel channel) : place_(std::move(place)), channel_(std::move(channel)) {}

  Expected<void> serve() {
    if (auto ready = start(); !ready) return ready;
    while (true) {
      const auto bytes = channel_.receive();
      if (!bytes) return {};  // rank 0 is done
      auto message = decode(*bytes);
      if (!message) return message.error();
      if (auto done = std::visit([this](auto& each) { return handle(each); }, *message); !done) return done;
    }
  }

 private:
  Expected<void> start() {
    auto descriptor = channel_.receive_descriptor();
    if (!descriptor) return descriptor.error();
    auto memory = SharedMemory::map(*std::move(descriptor), ShmCommunicator::memory_bytes(place_.world_size));
    if (!memory) return memory.error();
    ShmCommunicatorOptions options;
    options.rank = place_.rank;
    options.size = place_.world_size;
    communicator_ = std::make_shared<ShmCommunicator>(*std::move(memory), std::move(options));
    return {};
  }

  Expected<void> handle(const StartRank& start) { return answer(load(start)); }

  Expected<void> load(const StartRank& start) {
    const auto config = read_config(start.directory);
    if (!config) return config.error();
    LoadOptions options;
    options.directory = start.directory;
    options.dtype = start.dtype;
    options.threads = start.threads * place_.world_size;
    try {
      auto runner = load_runner(*config, options, communicator_);
      if (!runner) return runner.error();
      runner_ = *std::move(runner);
      return {};
    } catch (const std::exception& failure) {
      return make_error("{}: {}", start.directory, failure.what());
    }
  }

  // A plan that one rank refuses all refuse, and a rank that fails half-way has told the others through the
  // communicator: the logits and the error are rank 0's to report.
  Expected<void> handle(const StepPlan& plan) {
    if (const auto result = runner_->step(plan); !result) {
      spdlog::info("rank {}: {}", place_.rank.value(), result.error().message);
    }
    return {};
  }

  Expected<void> handle(const InstallAdapter& install) {
    return answer(runner_->install_adapter(install.id, install.adapter));
  }

  Expected<void> handle(const RemoveAdapter& remove) {
    runner_->remove_adapter(remove.id);
    return {};
  }

  Expected<void> answer(const Expected<void>& outcome) {
    const std::string text = outcome ? "" : outcome.error().message;
    return channel_.send(std::as_bytes(std::span(text)));
  }

  RankPlace place_;
  RankChannel channel_;
  std::shared_ptr<ShmCommunicator> communicator_;
  std::unique_ptr<ModelRunner> runner_;
};

// What a rank 0 that was killed before all had joined left behind. Those that a launcher starts meet where the next
// group will, and leave it alone.
void remove_meeting_place(const RankPlace& place) {
  if (!started_as_rank()) return;
  std::error_code ignored;
  std::filesystem::remove(std::filesystem::path(place.folder) / "rank0", ignored);
  std::filesystem::remove(place.folder, ignored);
}

Expected<void> live(const RankPlace& place, std::chrono::milliseconds patience) {
  if (auto log = init_log("warning"); !log) return log;
  std::signal(SIGINT, SIG_IGN);  // Ctrl-C reaches the whole group of processes: rank 0 decides what it means
  auto channel = join_group(place, patience);
  if (!channel) return channel.error();
  end_with(*channel, [place] { remove_meeting_place(place); });
  return RankWorker(place, *std::move(channel)).serve();
}

int exit_code(const RankPlace& place, std::chrono::milliseconds patience) {
  const auto lived = live(place, patience);
  remove_meeting_place(place);
  if (!lived) spdlog::error("rank {} of {}: {}", place.rank.value(), place.world_size, lived.error().message);
  return lived ? 0 : 1;
}

}  // namespace

std::optional<int> run_if_started_as_rank() {
  if (!started_as_rank()) return std::nullopt;
  const auto place = rank_place();
  if (!place || !*place) return 1;
  return exit_code(**place, std::chrono::milliseconds(0));
}

std::optional<int> run_if_launched_as_rank(int ranks) {
  if (ranks <= 1) return std::nullopt;
  const auto place = rank_place();
  if (!place || !*place || (*place)->rank == Rank(0)) return std::nullopt;  // rank 0 says what is wrong
  return exit_code(**place, kLauncherPatience);
}

}  // namespace weft::model
