#include "model/rank_messages.h"

#include <cstring>
#include <type_traits>

namespace weft::model {
namespace {

template <class T>
concept Plain = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>;

class Writer {
 public:
  template <Plain T>
  void write(const T& value) {
    const auto* begin = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), begin, begin + sizeof(T));
  }
  template <Plain T>
  void write(const std::vector<T>& values) {
    write(std::uint64_t{values.size()});
    const auto* begin = reinterpret_cast<const std::byte*>(values.data());
    bytes_.insert(bytes_.end(), begin, begin + values.size() * sizeof(T));
  }
  void write(const std::string& text) { write(std::vector<char>(text.begin(), text.end())); }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

// Reads what Writer wrote, in the same order. After the first thing that is not there all else reads as empty.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}
  template <Plain T>
  void read(T& value) {
    if (!has(sizeof(T))) return;
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_ = rest_.subspan(sizeof(T));
  }
  template <Plain T>
  void read(std::vector<T>& values) {
    const std::size_t count = read_count(sizeof(T));
    values.resize(count);
    if (count > 0) std::memcpy(values.data(), rest_.data(), count * sizeof(T));
    rest_ = rest_.subspan(count * sizeof(T));
  }
  void read(std::string& text) {
    std::vector<char> characters;
    read(characters);
    text.assign(characters.begin(), characters.end());
  }
  // Of elements that take at least so many bytes each.
  std::size_t read_count(std::size_t least_bytes) {
    std::uint64_t count = 0;
    read(count);
    if (count > rest_.size() / least_bytes) failed_ = true;
    return failed_ ? 0 : static_cast<std::size_t>(count);
  }
  [[nodiscard]] bool whole() const { return !failed_ && rest_.empty(); }

 private:
  bool has(std::size_t bytes) {
    if (rest_.size() < bytes) failed_ = true;
    return !failed_;
  }
  std::span<const std::byte> rest_;
  bool failed_ = false;
};

// One list of fields for both directions: `fields(archive, value)` reads or writes them.
template <class Archive, class Value>
void each(Archive& archive, Value& value) {
  if constexpr (std::is_same_v<Archive, Writer>) {
    archive.write(value);
  } else {
    archive.read(value);
  }
}

template <class Archive, class... Values>
void all(Archive& archive, Values&... values) {
  (each(archive, values), ...);
}

// Elements that are not plain, by `fields` of each.
template <class Archive, class List>
void list(Archive& archive, List& elements) {
  if constexpr (std::is_same_v<Archive, Writer>) {
    archive.write(std::uint64_t{elements.size()});
  } else {
    elements.resize(archive.read_count(1));
  }
  for (auto& element : elements) fields(archive, element);
}

template <class Archive, class T>
concept Of = std::is_same_v<std::remove_const_t<Archive>, T>;

template <class Archive>
void fields(Archive& archive, Of<StartRank> auto& start) {
  all(archive, start.directory, start.dtype, start.threads);
}

template <class Archive>
void fields(Archive& archive, Of<StepSequence> auto& part) {
  all(archive, part.sequence, part.start, part.tokens, part.logits, part.adapter);
}

template <class Archive>
void fields(Archive& archive, Of<StepPlan> auto& plan) {
  list(archive, plan.sequences);
  all(archive, plan.released, plan.forks);
}

template <class Archive>
void fields(Archive& archive, Of<LoraDelta> auto& delta) {
  all(archive, delta.module, delta.rank, delta.in, delta.out, delta.scaling, delta.a, delta.b);
}

template <class Archive>
void fields(Archive& archive, Of<LoraAdapter> auto& adapter) {
  all(archive, adapter.name);
  list(archive, adapter.deltas);
}

void fields(Writer& writer, const InstallAdapter& install) {
  writer.write(install.id);
  fields(writer, *install.adapter);
}

void fields(Reader& reader, InstallAdapter& install) {
  reader.read(install.id);
  LoraAdapter adapter;
  fields(reader, adapter);
  install.adapter = std::make_shared<const LoraAdapter>(std::move(adapter));
}

template <class Archive>
void fields(Archive& archive, Of<RemoveAdapter> auto& remove) {
  all(archive, remove.id);
}

template <std::size_t kIndex = 0>
Expected<RankMessage> decode_as(std::size_t index, Reader& reader) {
  if constexpr (kIndex == std::variant_size_v<RankMessage>) {
    return make_error("a rank was sent a message of an unknown kind");
  } else {
    if (index != kIndex) return decode_as<kIndex + 1>(index, reader);
    std::variant_alternative_t<kIndex, RankMessage> message{};
    fields(reader, message);
    if (!reader.whole()) return make_error("a rank was sent a message that is cut off");
    return RankMessage(std::move(message));
  }
}

}  // namespace

std::vector<std::byte> encode(const RankMessage& message) {
  Writer writer;
  writer.write(static_cast<std::uint8_t>(message.index()));
  std::visit([&](const auto& alternative) { fields(writer, alternative); }, message);
  return writer.take();
}

Expected<RankMessage> decode(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  std::uint8_t index = 0xFF;
  reader.read(index);
  return decode_as(index, reader);
}

}  // namespace weft::model
