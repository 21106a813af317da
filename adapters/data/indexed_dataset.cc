#include "adapters/data/indexed_dataset.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>
#include <utility>

namespace weft::adapters {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian and is mapped as it is");

constexpr std::string_view kMagic{"MMIDIDX\0\0", 9};
constexpr std::uint64_t kVersion = 1;
constexpr std::uint8_t kUint16 = 8;  // Megatron's code for the token type

// Reads values from the front of a byte span; the arrays of the format are not aligned, so everything is copied.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class T>
  [[nodiscard]] bool read(T& value) {
    if (rest_.size() < sizeof(T)) return false;
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_ = rest_.subspan(sizeof(T));
    return true;
  }

  template <class T>
  [[nodiscard]] bool read_array(std::uint64_t count, std::vector<T>& values) {
    if (count > rest_.size() / sizeof(T)) return false;
    values.resize(count);
    if (count > 0) std::memcpy(values.data(), rest_.data(), count * sizeof(T));
    rest_ = rest_.subspan(count * sizeof(T));
    return true;
  }

 private:
  std::span<const std::byte> rest_;
};

struct Index {
  std::vector<std::int32_t> sizes;      // of sequences, in tokens
  std::vector<std::int64_t> pointers;   // of sequences, in bytes
  std::vector<std::int64_t> documents;  // first sequence of each document, and one past the last
};

Expected<Index> read_index(const std::string& path) {
  const auto file = MappedFile::open(path);
  if (!file) return file.error();
  Reader reader(file->bytes());
  std::array<char, 9> magic{};
  std::uint64_t version = 0, sequences = 0, documents = 0;
  std::uint8_t type = 0;
  if (!reader.read(magic) || std::string_view(magic.data(), magic.size()) != kMagic) {
    return make_error("{} is not an index of tokens: it does not start with MMIDIDX", path);
  }
  if (!reader.read(version) || version != kVersion) {
    return make_error("{}: expected version {}, file has {}", path, kVersion, version);
  }
  if (!reader.read(type) || type != kUint16) {
    return make_error("{}: expected token type {} (uint16), file has {}", path, kUint16, type);
  }
  Index index;
  if (!reader.read(sequences) || !reader.read(documents) || !reader.read_array(sequences, index.sizes) ||
      !reader.read_array(sequences, index.pointers) || !reader.read_array(documents, index.documents)) {
    return make_error("{} is truncated: {} bytes for {} sequences and {} documents", path, file->bytes().size(),
                      sequences, documents);
  }
  return index;
}

// The token at which each sequence starts, and one past the last.
Expected<std::vector<std::size_t>> sequence_starts(const Index& index, const std::string& path, std::size_t tokens) {
  std::vector<std::size_t> starts{0};
  for (std::size_t i = 0; i < index.sizes.size(); ++i) {
    const std::int32_t size = index.sizes[i];
    if (size < 0 || static_cast<std::size_t>(size) > tokens - starts.back()) {
      return make_error("{}: sequence {} has {} tokens, but {} of {} are left", path, i, size, tokens - starts.back(),
                        tokens);
    }
    const std::size_t expected = starts.back() * sizeof(std::uint16_t);
    if (index.pointers[i] < 0 || static_cast<std::size_t>(index.pointers[i]) != expected) {
      return make_error("{}: sequence {} lies at byte {}, expected {}", path, i, index.pointers[i], expected);
    }
    starts.push_back(starts.back() + static_cast<std::size_t>(size));
  }
  return starts;
}

}  // namespace

Expected<IndexedDataset> IndexedDataset::open(const std::string& prefix) {
  const std::string path = prefix + ".idx";
  const auto index = read_index(path);
  if (!index) return index.error();
  auto bin = MappedFile::open(prefix + ".bin");
  if (!bin) return bin.error();
  const auto sequences = sequence_starts(*index, path, bin->bytes().size() / sizeof(std::uint16_t));
  if (!sequences) return sequences.error();
  if (index->documents.empty() || index->documents.front() != 0 ||
      std::cmp_not_equal(index->documents.back(), index->sizes.size())) {
    return make_error("{}: the documents do not cover the {} sequences", path, index->sizes.size());
  }
  std::vector<std::size_t> starts;
  starts.reserve(index->documents.size());
  std::int64_t previous = 0;
  for (const std::int64_t first : index->documents) {
    if (first < previous || std::cmp_greater(first, index->sizes.size())) {
      return make_error("{}: document {} starts at sequence {}", path, starts.size(), first);
    }
    previous = first;
    starts.push_back((*sequences)[static_cast<std::size_t>(first)]);
  }
  return IndexedDataset(std::move(*bin), std::move(starts));
}

std::span<const std::uint16_t> IndexedDataset::tokens(std::size_t i) const {
  WEFT_CHECK(i < documents());
  const auto* first = reinterpret_cast<const std::uint16_t*>(bin_.bytes().data());
  return {first + starts_[i], starts_[i + 1] - starts_[i]};
}

// Both files under temporary names, removed unless they were published.
class IndexedDatasetWriter::Files {
 public:
  explicit Files(std::string prefix) : prefix_(std::move(prefix)) {
    bin_.open(partial(".bin"), std::ios::binary | std::ios::trunc);
    index_.open(partial(".idx"), std::ios::binary | std::ios::trunc);
  }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() {
    std::error_code ignored;
    std::filesystem::remove(partial(".bin"), ignored);
    std::filesystem::remove(partial(".idx"), ignored);
  }

  [[nodiscard]] bool good() const { return bin_.good() && index_.good(); }
  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  std::ofstream& bin() { return bin_; }

  template <class T>
  void write_index(const T* values, std::size_t count) {
    index_.write(reinterpret_cast<const char*>(values), static_cast<std::streamsize>(count * sizeof(T)));
  }

  Expected<void> publish() {
    bin_.close();
    index_.close();
    if (!good()) return make_error("cannot write {}.bin and .idx: {}", prefix_, std::strerror(errno));
    for (const char* ending : {".bin", ".idx"}) {
      std::error_code error;
      std::filesystem::rename(partial(ending), prefix_ + ending, error);
      if (error) return make_error("cannot name {}{}: {}", prefix_, ending, error.message());
    }
    return {};
  }

 private:
  [[nodiscard]] std::string partial(const char* ending) const { return prefix_ + ending + ".partial"; }

  std::string prefix_;
  std::ofstream bin_, index_;
};

IndexedDatasetWriter::IndexedDatasetWriter(std::unique_ptr<Files> files) : files_(std::move(files)) {}
IndexedDatasetWriter::IndexedDatasetWriter(IndexedDatasetWriter&& other) noexcept = default;
IndexedDatasetWriter& IndexedDatasetWriter::operator=(IndexedDatasetWriter&& other) noexcept = default;
IndexedDatasetWriter::~IndexedDatasetWriter() = default;

Expected<IndexedDatasetWriter> IndexedDatasetWriter::create(const std::string& prefix) {
  auto files = std::make_unique<Files>(prefix);
  if (!files->good()) return make_error("cannot create {}.bin: {}", prefix, std::strerror(errno));
  return IndexedDatasetWriter(std::move(files));
}

Expected<void> IndexedDatasetWriter::add(std::span<const std::uint16_t> tokens) {
  if (tokens.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return make_error("document {} has {} tokens, the format holds {}", sizes_.size(), tokens.size(),
                      std::numeric_limits<std::int32_t>::max());
  }
  files_->bin().write(reinterpret_cast<const char*>(tokens.data()), static_cast<std::streamsize>(tokens.size_bytes()));
  sizes_.push_back(static_cast<std::int32_t>(tokens.size()));
  return {};
}

Expected<void> IndexedDatasetWriter::finish() {
  std::vector<std::int64_t> pointers, documents{0};
  std::int64_t at = 0;
  for (const std::int32_t size : sizes_) {
    pointers.push_back(at);
    at += std::int64_t{size} * std::int64_t{sizeof(std::uint16_t)};
    documents.push_back(static_cast<std::int64_t>(pointers.size()));
  }
  const std::uint64_t sequence_count = sizes_.size(), document_count = documents.size();
  files_->write_index(kMagic.data(), kMagic.size());
  files_->write_index(&kVersion, 1);
  files_->write_index(&kUint16, 1);
  files_->write_index(&sequence_count, 1);
  files_->write_index(&document_count, 1);
  files_->write_index(sizes_.data(), sizes_.size());
  files_->write_index(pointers.data(), pointers.size());
  files_->write_index(documents.data(), documents.size());
  return files_->publish();
}

}  // namespace weft::adapters
