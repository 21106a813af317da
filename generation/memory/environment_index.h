// EnvironmentIndex: what the user's own Python environment says about the next token: the texts of its packages and
// all their places, in the order of SuffixPlaces, in one file of 8 bytes a token that all programs with that
// environment share. Const calls are thread-safe.
//
// Reading never waits for the disk. The file is mapped, so that it costs page cache alone; what every search begins
// with, one place in 512 with the tokens before it, is held in own memory (0.13 bytes a token), and leads to the one or
// two blocks in which it ends. Before a page is touched the system is asked whether it is in memory (mincore), and
// its neighbours with it, since asking costs more than the answer; an answer counts for two seconds, after which a page
// that nobody touched may have been let go. Where one is not there, the search says nothing, and the page is noted for
// whoever may wait (`take_missed`), so that a later search finds it. A page that goes within those seconds would be
// waited for, one read of the disk: what has just been asked about and used is what a system lets go last.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "generation/memory/environment_format.h"
#include "generation/memory/suffix_places.h"
#include "model/base/expected.h"
#include "model/base/mmap.h"

namespace weft::generation {

// Of whole pages of a mapping, whether each is in memory: 1 or 0. Thread-safe.
using AskMemory = std::function<void(std::span<const std::byte> pages, std::span<unsigned char> answers)>;
void ask_memory(std::span<const std::byte> pages, std::span<unsigned char> answers);
// For who may wait: as if everything were there.
void claim_memory(std::span<const std::byte> pages, std::span<unsigned char> answers);

class EnvironmentIndex {
 public:
  // Error: no such file, or one that is cut short, damaged, or made from something else than `key` says.
  static Expected<std::shared_ptr<const EnvironmentIndex>> open(const std::string& path, std::uint64_t key,
                                                                AskMemory ask = ask_memory);

  // As SuffixPlaces's, ties in no order. Length 0 also where it would have to wait.
  [[nodiscard]] SuffixMatch longest_match(std::span<const TokenId> context) const;

  // The files in which the end of the context stands with a token behind it, or some where they are many.
  struct Found {
    std::size_t length = 0;  // tokens; 0: nowhere, or it would have to wait
    std::vector<const EnvironmentFile*> files;
  };
  [[nodiscard]] Found files_with(std::span<const TokenId> context) const;

  [[nodiscard]] const EnvironmentTable& table() const { return table_; }
  [[nodiscard]] const EnvironmentPackage& package_of(const EnvironmentFile& file) const {
    return table_.packages[file.package];
  }
  [[nodiscard]] std::uint64_t key() const { return header_.key; }
  [[nodiscard]] std::size_t tokens() const { return header_.tokens; }
  [[nodiscard]] std::size_t file_bytes() const { return header_.file_bytes(); }
  [[nodiscard]] std::size_t held_bytes() const;  // of own memory, about

  // What searches would have had to wait for since the last call; some of it where it is much.
  [[nodiscard]] std::vector<std::span<const std::byte>> take_missed() const;
  // Reads what is mapped there, so that it is in memory. Waits.
  void fetch(std::span<const std::byte> bytes) const;
  [[nodiscard]] std::span<const std::byte> bytes() const { return file_.bytes(); }

 private:
  class Search;
  struct Range {
    std::size_t length = 0;          // of the match
    std::size_t begin = 0, end = 0;  // in the order
  };
  EnvironmentIndex(MappedFile file, const EnvironmentHeader& header, AskMemory ask);
  [[nodiscard]] Expected<void> read_held();
  [[nodiscard]] bool has_page(std::size_t page, std::uint32_t second) const;

  MappedFile file_;
  EnvironmentHeader header_;
  AskMemory ask_;
  mutable std::vector<std::atomic<std::uint32_t>> seen_;  // of each page: in which second it was in memory; 0: in none
  std::span<const std::uint16_t> text_;
  std::span<const PlaceBlock> blocks_;
  std::vector<Signpost> signposts_;
  EnvironmentTable table_;
  mutable std::mutex mutex_;
  mutable std::vector<std::span<const std::byte>> missed_;
};

}  // namespace weft::generation
