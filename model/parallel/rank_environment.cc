#include "model/parallel/rank_environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "model/config/shard_plan.h"

extern "C" char** environ;  // POSIX

namespace weft::model {
namespace {

constexpr const char *kRank = "RANK", *kLocalRank = "LOCAL_RANK", *kWorldSize = "WORLD_SIZE",
                     *kMasterAddress = "MASTER_ADDR", *kMasterPort = "MASTER_PORT", *kFolder = "WEFT_RANK_FOLDER";
constexpr std::array kNames{kRank, kLocalRank, kWorldSize, kMasterAddress, kMasterPort, kFolder};

std::optional<std::string> value_of(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Expected<int> number_of(const char* name, int least, int most) {
  const std::string text = value_of(name).value_or("");
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return make_error("{} is '{}' in the environment: expected {} to {}", name, text, least, most);
  }
  return value;
}

// Ranks that someone else started know no more of each other than the address they were given.
std::string agreed_folder() {
  const auto runtime = value_of("XDG_RUNTIME_DIR");
  const std::filesystem::path base = runtime ? std::filesystem::path(*runtime) : std::filesystem::temp_directory_path();
  return (base / fmt::format("weft-ranks-{}-{}-{}", ::getuid(), *value_of(kMasterAddress), *value_of(kMasterPort)))
      .string();
}

}  // namespace

bool started_as_rank() { return value_of(kFolder).has_value(); }

Expected<std::optional<RankPlace>> rank_place() {
  if (!value_of(kRank) && !value_of(kWorldSize)) return std::optional<RankPlace>();
  const auto size = number_of(kWorldSize, 1, kMaxRanks);
  if (!size) return size.error();
  const auto rank = number_of(kRank, 0, *size - 1);
  if (!rank) return rank.error();
  const auto local_rank = value_of(kLocalRank) ? number_of(kLocalRank, 0, *size - 1) : rank;
  if (!local_rank) return local_rank.error();
  for (const char* name : {kMasterAddress, kMasterPort}) {
    const std::string value = value_of(name).value_or("");
    if (value.empty() || value.find('/') != std::string::npos) {
      return make_error("{} is '{}' in the environment, which says rank {} of {}", name, value, *rank, *size);
    }
  }
  return std::optional(RankPlace{Rank(*rank), Rank(*local_rank), *size, value_of(kFolder).value_or(agreed_folder())});
}

std::vector<std::string> environment_of(const RankPlace& place) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    if (std::ranges::none_of(kNames, [&](const char* own) { return name == own; })) out.emplace_back(text);
  }
  out.push_back(fmt::format("{}={}", kRank, place.rank.value()));
  out.push_back(fmt::format("{}={}", kLocalRank, place.local_rank.value()));
  out.push_back(fmt::format("{}={}", kWorldSize, place.world_size));
  out.push_back(fmt::format("{}=localhost", kMasterAddress));
  out.push_back(fmt::format("{}=0", kMasterPort));  // they meet in the folder
  out.push_back(fmt::format("{}={}", kFolder, place.folder));
  return out;
}

}  // namespace weft::model
