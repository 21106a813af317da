#include "model/weights/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>

namespace weft::model {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF data is little-endian");

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint32_t kOldest = 2, kNewest = 3;
constexpr std::int64_t kUsualAlignment = 32;
constexpr std::uint32_t kMostDimensions = 4;

struct TypeRow {
  std::uint32_t id;  // in the file
  Dtype dtype;
};
constexpr std::array kTypes{TypeRow{0, Dtype::kF32},   TypeRow{1, Dtype::kF16},   TypeRow{2, Dtype::kQ4_0},
                            TypeRow{3, Dtype::kQ4_1},  TypeRow{6, Dtype::kQ5_0},  TypeRow{7, Dtype::kQ5_1},
                            TypeRow{8, Dtype::kQ8_0},  TypeRow{12, Dtype::kQ4_K}, TypeRow{13, Dtype::kQ5_K},
                            TypeRow{14, Dtype::kQ6_K}, TypeRow{24, Dtype::kI8},   TypeRow{26, Dtype::kI32},
                            TypeRow{27, Dtype::kI64},  TypeRow{30, Dtype::kBf16}};

struct ForeignRow {
  std::uint32_t id;
  std::string_view name;
};
constexpr std::array kForeign{
    ForeignRow{10, "Q2_K"},    ForeignRow{11, "Q3_K"},   ForeignRow{16, "IQ2_XXS"}, ForeignRow{17, "IQ2_XS"},
    ForeignRow{18, "IQ3_XXS"}, ForeignRow{19, "IQ1_S"},  ForeignRow{20, "IQ4_NL"},  ForeignRow{21, "IQ3_S"},
    ForeignRow{22, "IQ2_S"},   ForeignRow{23, "IQ4_XS"}, ForeignRow{25, "I16"},     ForeignRow{28, "F64"},
    ForeignRow{29, "IQ1_M"},   ForeignRow{34, "TQ1_0"},  ForeignRow{35, "TQ2_0"},   ForeignRow{39, "MXFP4"}};

// Reads the header from first to last. After the first failure every answer is zero or empty.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> file) : file_(file) {}
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::size_t left() const { return file_.size() - at_; }
  [[nodiscard]] bool failed() const { return !error_.empty(); }
  [[nodiscard]] const std::string& error() const { return error_; }
  void fail(std::string message) {
    if (error_.empty()) error_ = std::move(message);
  }

  template <class T>
  T number(std::string_view what) {
    T out{};
    if (!has(sizeof(T), what)) return out;
    std::memcpy(&out, file_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return out;
  }
  std::string text(std::string_view what) {
    const auto length = number<std::uint64_t>(what);
    if (failed() || !has(length, what)) return "";
    std::string out(reinterpret_cast<const char*>(file_.data() + at_), length);
    at_ += length;
    return out;
  }
  // How many entries of at least `bytes` follow.
  std::uint64_t count(std::string_view what, std::uint64_t bytes) {
    const auto entries = number<std::uint64_t>(what);
    if (!failed() && entries > left() / bytes) {
      fail(fmt::format("{} {} at byte {}, {} bytes are left: the file is truncated", entries, what, at_, left()));
    }
    return failed() ? 0 : entries;
  }

 private:
  bool has(std::uint64_t bytes, std::string_view what) {
    if (!failed() && bytes > left()) {
      fail(fmt::format("{} of {} bytes at byte {}, {} are left: the file is truncated", what, bytes, at_, left()));
    }
    return !failed();
  }
  std::span<const std::byte> file_;
  std::size_t at_ = 0;
  std::string error_;
};

// "1e-06" in a file of 32-bit floats is meant as 1e-6, not as the float nearest to it.
double as_meant(float value) {
  return std::isfinite(value) ? std::strtod(fmt::format("{}", value).c_str(), nullptr) : static_cast<double>(value);
}

enum Type : std::uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };

template <class Out, class Stored>
std::vector<Out> list_of(Reader& reader) {
  const std::uint64_t count = reader.count("list entries", sizeof(Stored));
  std::vector<Out> out;
  out.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(static_cast<Out>(reader.number<Stored>("a list's entry")));
  return out;
}

std::vector<std::string> texts_of(Reader& reader) {
  const std::uint64_t count = reader.count("list entries", sizeof(std::uint64_t));
  std::vector<std::string> out;
  for (std::uint64_t i = 0; i < count && !reader.failed(); ++i) out.push_back(reader.text("a list's text"));
  return out;
}

GgufValue read_list(Reader& reader) {
  const auto type = reader.number<std::uint32_t>("a list's type");
  switch (type) {
    case kU8:
      return list_of<std::int64_t, std::uint8_t>(reader);
    case kI8:
      return list_of<std::int64_t, std::int8_t>(reader);
    case kU16:
      return list_of<std::int64_t, std::uint16_t>(reader);
    case kI16:
      return list_of<std::int64_t, std::int16_t>(reader);
    case kU32:
      return list_of<std::int64_t, std::uint32_t>(reader);
    case kI32:
      return list_of<std::int64_t, std::int32_t>(reader);
    case kU64:
      return list_of<std::int64_t, std::uint64_t>(reader);
    case kI64:
      return list_of<std::int64_t, std::int64_t>(reader);
    case kF32:
      return list_of<double, float>(reader);
    case kF64:
      return list_of<double, double>(reader);
    case kBool:
      return list_of<bool, std::uint8_t>(reader);
    case kString:
      return texts_of(reader);
    default:
      reader.fail(fmt::format("a list of type {}, known are 0 to 8 and 10 to 12", type));
      return std::int64_t{0};
  }
}

template <class T>
GgufValue whole_number(Reader& reader) {
  return static_cast<std::int64_t>(reader.number<T>("a number"));
}

GgufValue read_value(Reader& reader) {
  const auto type = reader.number<std::uint32_t>("a value's type");
  switch (type) {
    case kU8:
      return whole_number<std::uint8_t>(reader);
    case kI8:
      return whole_number<std::int8_t>(reader);
    case kU16:
      return whole_number<std::uint16_t>(reader);
    case kI16:
      return whole_number<std::int16_t>(reader);
    case kU32:
      return whole_number<std::uint32_t>(reader);
    case kI32:
      return whole_number<std::int32_t>(reader);
    case kU64:
      return whole_number<std::uint64_t>(reader);
    case kI64:
      return whole_number<std::int64_t>(reader);
    case kF32:
      return as_meant(reader.number<float>("a number"));
    case kF64:
      return reader.number<double>("a number");
    case kBool:
      return reader.number<std::uint8_t>("a flag") != 0;
    case kString:
      return reader.text("a text");
    case kArray:
      return read_list(reader);
    default:
      reader.fail(fmt::format("a value of type {}, known are 0 to 12", type));
      return std::int64_t{0};
  }
}

GgufMetadata read_metadata(Reader& reader, std::uint64_t count) {
  GgufMetadata::Values values;
  for (std::uint64_t i = 0; i < count && !reader.failed(); ++i) {
    std::string key = reader.text("a key");
    GgufValue value = read_value(reader);
    if (!reader.failed() && values.contains(key)) reader.fail(fmt::format("key '{}' stands twice", key));
    values.emplace(std::move(key), std::move(value));
  }
  return GgufMetadata(std::move(values));
}

struct Entry {
  std::string name;
  TensorView view;
  std::uint64_t offset = 0, bytes = 0;
};

std::optional<Dtype> dtype_of(Reader& reader, const std::string& name, std::uint32_t id) {
  const auto row = std::ranges::find(kTypes, id, &TypeRow::id);
  if (row != kTypes.end()) return row->dtype;
  const auto foreign = std::ranges::find(kForeign, id, &ForeignRow::id);
  std::string known;
  for (const TypeRow& each : kTypes) known.append(known.empty() ? "" : ", ").append(dtype_name(each.dtype));
  reader.fail(fmt::format("tensor '{}' is of type {}, which weft does not read; it reads {}", name,
                          foreign == kForeign.end() ? std::to_string(id) : std::string(foreign->name), known));
  return std::nullopt;
}

Entry read_entry(Reader& reader) {
  Entry out;
  out.name = reader.text("a tensor's name");
  const auto dimensions = reader.number<std::uint32_t>("a tensor's dimensions");
  if (dimensions > kMostDimensions) {
    reader.fail(
        fmt::format("tensor '{}' has {} dimensions, at most {} are known", out.name, dimensions, kMostDimensions));
  }
  for (std::uint32_t i = 0; i < dimensions && !reader.failed(); ++i) {
    const auto side = reader.number<std::uint64_t>("a tensor's size");
    if (side > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      reader.fail(fmt::format("tensor '{}' has a side of {}", out.name, side));
    }
    out.view.shape.insert(out.view.shape.begin(),
                          static_cast<std::int64_t>(side));  // the file begins with the innermost
  }
  const auto type = reader.number<std::uint32_t>("a tensor's type");
  out.offset = reader.number<std::uint64_t>("a tensor's offset");
  if (reader.failed()) return out;
  const auto dtype = dtype_of(reader, out.name, type);
  if (!dtype) return out;
  out.view.dtype = *dtype;
  const auto bytes = byte_count(*dtype, out.view.shape);
  if (!bytes || (out.view.shape.size() < 2 && traits(*dtype).block_values > 1)) {
    reader.fail(fmt::format("tensor '{}' of shape [{}] cannot be {}", out.name, fmt::join(out.view.shape, ", "),
                            dtype_name(*dtype)));
    return out;
  }
  out.bytes = *bytes;
  return out;
}

Expected<void> place(std::vector<Entry>& entries, std::span<const std::byte> data, std::uint64_t alignment) {
  std::ranges::sort(entries, {}, [](const Entry& entry) { return std::pair(entry.offset, entry.bytes); });
  std::uint64_t end = 0;
  std::string_view before;
  for (Entry& entry : entries) {
    if (entry.offset % alignment != 0) {
      return make_error("tensor '{}' begins at byte {}, no multiple of {}", entry.name, entry.offset, alignment);
    }
    if (entry.offset < end) {
      return make_error("tensors '{}' and '{}' overlap at byte {}", before, entry.name, entry.offset);
    }
    if (entry.offset > data.size() || entry.bytes > data.size() - entry.offset) {
      return make_error("tensor '{}' of {} bytes begins at byte {} of {}: the file is truncated", entry.name,
                        entry.bytes, entry.offset, data.size());
    }
    entry.view.data = data.subspan(entry.offset, entry.bytes);
    end = entry.offset + entry.bytes;
    before = entry.name;
  }
  return {};
}

Expected<std::uint64_t> alignment_of(const GgufMetadata& metadata) {
  constexpr std::int64_t kMost = 1 << 20;
  const std::int64_t alignment = metadata.integer("general.alignment").value_or(kUsualAlignment);
  if (alignment < 1 || alignment > kMost || !std::has_single_bit(static_cast<std::uint64_t>(alignment))) {
    return make_error("general.alignment is {}, expected a power of 2 up to {}", alignment, kMost);
  }
  return static_cast<std::uint64_t>(alignment);
}

}  // namespace

bool is_gguf(std::span<const std::byte> file) {
  return file.size() >= kMagic.size() && std::memcmp(file.data(), kMagic.data(), kMagic.size()) == 0;
}

Expected<GgufContents> parse_gguf(std::span<const std::byte> file) {
  if (!is_gguf(file)) return Error{"not a GGUF file: it does not begin with GGUF"};
  Reader reader(file);
  reader.number<std::uint32_t>("the magic");
  const auto version = reader.number<std::uint32_t>("the version");
  if (!reader.failed() && (version < kOldest || version > kNewest)) {
    const bool big_endian = version << 8U == 0 && version != 0;
    return make_error("GGUF version {} is not read, only {} to {} are{}", version, kOldest, kNewest,
                      big_endian ? ": the file is big-endian" : "");
  }
  constexpr std::uint64_t kLeastTensor = 8 + 4 + 4 + 8, kLeastPair = 8 + 4 + 1;
  const std::uint64_t tensor_count = reader.count("tensors", kLeastTensor);
  const std::uint64_t pairs = reader.count("keys", kLeastPair);
  GgufContents out{.metadata = read_metadata(reader, pairs), .tensors = {}};
  std::vector<Entry> entries;
  for (std::uint64_t i = 0; i < tensor_count && !reader.failed(); ++i) entries.push_back(read_entry(reader));
  if (reader.failed()) return Error{reader.error()};

  const auto alignment = alignment_of(out.metadata);
  if (!alignment) return alignment.error();
  const std::uint64_t begin = (reader.at() + *alignment - 1) / *alignment * *alignment;
  if (begin > file.size() && !entries.empty()) {
    return make_error("the tensors begin at byte {} of {}: the file is truncated", begin, file.size());
  }
  const auto data = file.subspan(std::min<std::uint64_t>(begin, file.size()));
  if (auto placed = place(entries, data, *alignment); !placed) return placed.error();
  for (Entry& entry : entries) {
    if (out.tensors.contains(entry.name)) return make_error("tensor '{}' stands twice", entry.name);
    out.tensors.emplace(std::move(entry.name), std::move(entry.view));
  }
  return out;
}

}  // namespace weft::model
