#include "generation/memory/environment_index.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include <nlohmann/json.hpp>

namespace weft::generation {
namespace {

constexpr std::size_t kMostSeen = 64;     // places whose continuations one look-up counts
constexpr std::size_t kMostMissed = 256;  // parts that are noted

constexpr std::size_t kAskedPages = 64;  // at once
constexpr std::uint32_t kAnswerCounts_s = 2;

// Of a clock that never goes back; never 0.
std::uint32_t this_second() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count()) + 1;
}

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

Expected<EnvironmentTable> read_table(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  EnvironmentTable table;
  try {
    for (const auto& package : json.at("packages")) {
      table.packages.push_back(
          {package.at(0).get<std::string>(), package.at(1).get<std::string>(), package.at(2).get<std::string>()});
    }
    for (const auto& file : json.at("files")) {
      table.files.push_back(
          {file.at(0).get<std::size_t>(), file.at(1).get<std::size_t>(), file.at(2).get<std::string>()});
      if (table.files.back().package >= table.packages.size()) return make_error("a file is of no package");
    }
  } catch (const nlohmann::json::exception& error) {
    return make_error("the table cannot be read: {}", error.what());
  }
  return table;
}

}  // namespace

void ask_memory(std::span<const std::byte> pages, std::span<unsigned char> answers) {
  std::ranges::fill(answers, 0);
  // A refusal leaves them as they are: nothing is there.
  if (::mincore(const_cast<std::byte*>(pages.data()), pages.size(), answers.data()) != 0) return;
  for (unsigned char& answer : answers) answer &= 1;
}

void claim_memory(std::span<const std::byte>, std::span<unsigned char> answers) { std::ranges::fill(answers, 1); }

// One search. Where it would have to wait it is `cold`: from then on it touches nothing, and means nothing.
class EnvironmentIndex::Search {
 public:
  // The last tokens of the context; those that no text can have end it.
  Search(const EnvironmentIndex& index, std::span<const TokenId> context) : index_(index) {
    for (auto token = context.rbegin(); token != context.rend() && length_ < key_.size(); ++token) {
      if (token->value() < 0 || token->value() >= kEndOfText) break;
      key_[length_++] = static_cast<std::uint16_t>(token->value());
    }
  }

  // What has most in common with the context stands beside the place where it would be.
  [[nodiscard]] Range range() {
    Range found;
    if (length_ == 0) return found;
    const std::size_t middle = partition_point([](BackwardComparison of) { return of.order < 0; });
    if (middle < index_.header_.places) found.length = compare(middle).common;
    if (middle > 0) found.length = std::max(found.length, compare(middle - 1).common);
    length_ = found.length;
    if (length_ == 0) return found;
    found.begin = partition_point([](BackwardComparison of) { return of.order < 0; });
    found.end = partition_point([](BackwardComparison of) { return of.order <= 0; });
    return found;
  }

  // Both of a place in the order.
  [[nodiscard]] std::uint16_t next_of(std::size_t at) {
    if (at % kBlockPlaces == 0) return index_.signposts_[at / kBlockPlaces].next;
    const PlaceBlock* block = block_of(at);
    return block == nullptr ? 0 : block->nexts[at % kBlockPlaces];
  }
  [[nodiscard]] std::size_t place_of(std::size_t at) {
    const PlaceBlock* block = block_of(at);
    return block == nullptr ? 0 : block->places[at % kBlockPlaces];
  }

  [[nodiscard]] bool cold() const { return cold_; }

 private:
  // Of the place with the key, as far as the key goes: order 0 means that it ends with all of it.
  [[nodiscard]] BackwardComparison compare(std::size_t at) {
    if (at % kBlockPlaces == 0) {
      const auto& key = index_.signposts_[at / kBlockPlaces].key;
      return compare_with([&key](std::size_t i) { return key[i]; });
    }
    const std::size_t place = place_of(at);
    if (cold_ || place >= index_.text_.size()) return {};
    const std::size_t told = std::min(place + 1, kEnvironmentMatch);
    if (!has(std::as_bytes(index_.text_.subspan(place + 1 - told, told)))) return {};
    const std::uint16_t* last = index_.text_.data() + place;
    return compare_with([last](std::size_t i) { return *(last - i); });
  }

  // token(i): the i-th of the place, backwards; not asked for behind an kEndOfText, which no key has.
  template <class TokenAt>
  [[nodiscard]] BackwardComparison compare_with(const TokenAt& token) const {
    for (std::size_t i = 0; i < length_; ++i) {
      if (token(i) != key_[i]) return {i, token(i) < key_[i] ? -1 : 1};
    }
    return {length_, 0};
  }

  // The first in the order of which `before` is false; it is true of all that are before and of none behind.
  template <class Before>
  [[nodiscard]] std::size_t partition_point(const Before& before) {
    const auto search = [&](std::size_t begin, std::size_t end, std::size_t step) {
      while (begin < end && !cold_) {
        const std::size_t middle = begin + (end - begin) / 2;
        before(compare(middle * step)) ? begin = middle + 1 : end = middle;
      }
      return begin;
    };
    const std::size_t block = search(0, index_.signposts_.size(), kBlockPlaces);
    if (block == 0) return 0;
    const std::size_t first = (block - 1) * kBlockPlaces;
    return search(first + 1, std::min(first + kBlockPlaces, std::size_t{index_.header_.places}), 1);
  }

  [[nodiscard]] const PlaceBlock* block_of(std::size_t at) {
    const PlaceBlock* block = &index_.blocks_[at / kBlockPlaces];
    return !cold_ && has(std::as_bytes(std::span(block, 1))) ? block : nullptr;
  }

  [[nodiscard]] bool has(std::span<const std::byte> bytes) {
    if (cold_) return false;
    const auto begin = static_cast<std::size_t>(bytes.data() - index_.file_.bytes().data());
    const std::size_t first = begin / page_bytes(), last = (begin + bytes.size() - 1) / page_bytes();
    for (std::size_t page = first; page <= last && !cold_; ++page) cold_ = !index_.has_page(page, second_);
    if (!cold_) return true;
    const std::lock_guard lock(index_.mutex_);
    if (index_.missed_.size() < kMostMissed) index_.missed_.push_back(bytes);
    return false;
  }

  const EnvironmentIndex& index_;
  std::array<std::uint16_t, kEnvironmentMatch> key_{};
  std::size_t length_ = 0;  // of the key
  bool cold_ = false;
  std::uint32_t second_ = this_second();
};

EnvironmentIndex::EnvironmentIndex(MappedFile file, const EnvironmentHeader& header, AskMemory ask)
    : file_(std::move(file)),
      header_(header),
      ask_(std::move(ask)),
      seen_((file_.bytes().size() + page_bytes() - 1) / page_bytes()) {
  const std::byte* data = file_.bytes().data();
  text_ = {reinterpret_cast<const std::uint16_t*>(data + header_.text_begin()), header_.tokens};
  blocks_ = {reinterpret_cast<const PlaceBlock*>(data + header_.blocks_begin()), header_.blocks()};
}

Expected<std::shared_ptr<const EnvironmentIndex>> EnvironmentIndex::open(const std::string& path, std::uint64_t key,
                                                                         AskMemory ask) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  EnvironmentHeader header;
  const std::span<const std::byte> bytes = file->bytes();
  if (bytes.size() < EnvironmentHeader::kBytes) return make_error("{} is cut short", path);
  if (const auto read = file->read(bytes.first(sizeof(header)), reinterpret_cast<std::byte*>(&header)); !read) {
    return make_error("{} {}", path, read.error().message);
  }
  if (header.magic != EnvironmentHeader::kMagic || header.hash != header.own_hash()) {
    return make_error("{} has no header of this kind", path);
  }
  if (header.key != key) return make_error("{} was made from something else", path);
  if (header.file_bytes() != bytes.size()) {
    return make_error("{} has {} bytes, expected {}", path, bytes.size(), header.file_bytes());
  }
  auto index = std::shared_ptr<EnvironmentIndex>(new EnvironmentIndex(std::move(*file), header, std::move(ask)));
  if (const auto read = index->read_held(); !read) return make_error("{}: {}", path, read.error().message);
  return std::shared_ptr<const EnvironmentIndex>(std::move(index));
}

// By reading, so that what is held is not the mapping's.
Expected<void> EnvironmentIndex::read_held() {
  std::string held(header_.file_bytes() - header_.signposts_begin(), '\0');
  const auto part = file_.bytes().subspan(header_.signposts_begin());
  if (auto read = file_.read(part, reinterpret_cast<std::byte*>(held.data())); !read) return read;
  if (fnv1a(held) != header_.held_hash) return make_error("what it says of itself is not what was written");
  signposts_.resize(header_.blocks());
  std::memcpy(signposts_.data(), held.data(), signposts_.size() * sizeof(Signpost));
  auto table = read_table(std::string_view(held).substr(signposts_.size() * sizeof(Signpost)));
  if (!table) return table.error();
  table_ = std::move(*table);
  return {};
}

bool EnvironmentIndex::has_page(std::size_t page, std::uint32_t second) const {
  const auto known = [&] {
    const std::uint32_t seen = seen_[page].load(std::memory_order_relaxed);
    return seen != 0 && second - seen < kAnswerCounts_s;
  };
  if (known()) return true;
  const std::size_t first = page / kAskedPages * kAskedPages, count = std::min(kAskedPages, seen_.size() - first);
  const std::span<const std::byte> rest = file_.bytes().subspan(first * page_bytes());
  std::array<unsigned char, kAskedPages> answers;
  ask_(rest.first(std::min(rest.size(), count * page_bytes())), std::span(answers).first(count));
  for (std::size_t i = 0; i < count; ++i) {
    if (answers[i] != 0) seen_[first + i].store(second, std::memory_order_relaxed);
  }
  return known();
}

SuffixMatch EnvironmentIndex::longest_match(std::span<const TokenId> context) const {
  Search search(*this, context);
  const Range range = search.range();
  if (search.cold() || range.length == 0) return {};
  // As many as are counted, spread evenly; of very many the signposts alone, which are at hand.
  const std::size_t all = range.end - range.begin;
  std::size_t stride = (all + kMostSeen - 1) / kMostSeen;
  std::size_t at = range.begin + stride / 2;
  if (stride >= kBlockPlaces) {
    stride = (stride + kBlockPlaces - 1) / kBlockPlaces * kBlockPlaces;
    at = (range.begin + kBlockPlaces - 1) / kBlockPlaces * kBlockPlaces;
  }
  SuffixMatch match{range.length, {}};
  for (; at < range.end; at += stride) {
    const TokenId next(search.next_of(at));
    const auto seen = std::ranges::find(match.continuations, next, &Continuation::token);
    seen == match.continuations.end() ? match.continuations.push_back({next, 1}) : void(++seen->count);
  }
  if (search.cold()) return {};
  std::ranges::stable_sort(match.continuations, std::ranges::greater(), &Continuation::count);
  return match;
}

EnvironmentIndex::Found EnvironmentIndex::files_with(std::span<const TokenId> context) const {
  Search search(*this, context);
  const Range range = search.range();
  Found found{range.length, {}};
  const std::size_t stride = (range.end - range.begin + kMostSeen - 1) / kMostSeen;
  for (std::size_t at = range.begin; at < range.end; at += stride) {
    const auto behind = std::ranges::upper_bound(table_.files, search.place_of(at), {}, &EnvironmentFile::begin);
    if (search.cold()) break;
    if (behind == table_.files.begin()) continue;
    const EnvironmentFile* file = &*(behind - 1);
    if (std::ranges::find(found.files, file) == found.files.end()) found.files.push_back(file);
  }
  return search.cold() || found.files.empty() ? Found{} : found;
}

std::size_t EnvironmentIndex::held_bytes() const {
  std::size_t sum = sizeof(*this) + seen_.size() * sizeof(seen_[0]) + signposts_.capacity() * sizeof(Signpost);
  for (const EnvironmentFile& file : table_.files) sum += sizeof(file) + file.path.capacity();
  return sum;
}

std::vector<std::span<const std::byte>> EnvironmentIndex::take_missed() const {
  const std::lock_guard lock(mutex_);
  return std::exchange(missed_, {});
}

void EnvironmentIndex::fetch(std::span<const std::byte> bytes) const {
  std::array<std::byte, 64 << 10> read;
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), read.size()))) {
    if (!file_.read(bytes.first(std::min(bytes.size(), read.size())), read.data())) return;
  }
}

}  // namespace weft::generation
