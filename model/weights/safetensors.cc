#include "model/weights/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

namespace weft::model {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;  // the format's own limit

// The JSON object's keys are checked for repetition as they pass: nlohmann keeps only the last of two.
struct DuplicateFinder {
  std::vector<std::set<std::string>> open;
  std::optional<std::string> duplicate;

  bool operator()(int, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) open.emplace_back();
    if (event == Event::object_end && !open.empty()) open.pop_back();
    if (event == Event::key && !open.empty() && !open.back().insert(value.get<std::string>()).second && !duplicate) {
      duplicate = value.get<std::string>();
    }
    return true;
  }
};

Expected<nlohmann::json> parse_header(const std::string& path, std::span<const std::byte> file) {
  if (file.size() < kLengthBytes) {
    return make_error("{} is not a safetensors file: {} bytes, its header's length alone takes 8", path, file.size());
  }
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > kLongestHeader || length > file.size() - kLengthBytes) {
    return make_error("{} is truncated or not a safetensors file: it promises a header of {} bytes and holds {}", path,
                      length, file.size() - kLengthBytes);
  }
  const char* begin = reinterpret_cast<const char*>(file.data() + kLengthBytes);
  DuplicateFinder finder;
  nlohmann::json header = nlohmann::json::parse(begin, begin + length, std::ref(finder), /*allow_exceptions=*/false);
  if (header.is_discarded() || !header.is_object()) return make_error("{}: the header is not a JSON object", path);
  if (finder.duplicate) return make_error("{}: '{}' stands twice in the header", path, *finder.duplicate);
  return header;
}

// An unsigned number that fits, or nothing.
std::optional<std::uint64_t> size_of(const nlohmann::json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  const auto number = value.get<std::uint64_t>();
  if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return number;
}

struct Entry {
  std::string name;
  TensorView view;
  std::uint64_t begin, end;
};

Expected<Entry> parse_tensor(const std::string& name, const nlohmann::json& entry, std::span<const std::byte> data) {
  if (!entry.is_object()) return make_error("tensor '{}' is not described by an object", name);
  const auto dtype = entry.find("dtype"), shape = entry.find("shape"), offsets = entry.find("data_offsets");
  for (const auto& [field, there] : {std::pair{"dtype", dtype}, {"shape", shape}, {"data_offsets", offsets}}) {
    if (there == entry.end()) return make_error("tensor '{}' has no {}", name, field);
  }
  Entry out{name, {}, 0, 0};
  const std::string type = dtype->is_string() ? dtype->get<std::string>() : dtype->dump();
  // Masks, which old checkpoints of GPT-2 and its kin hold beside their weights, are bytes.
  const auto known = find_dtype(type == "BOOL" ? "U8" : type);
  if (!known || traits(*known).block_values > 1) {
    return make_error("tensor '{}' has dtype {}, known are {}", name, type, known_dtypes());
  }
  out.view.dtype = *known;
  const bool shape_is_list = shape->is_array();
  for (std::size_t i = 0; shape_is_list && i < shape->size(); ++i) {
    const auto side = size_of((*shape)[i]);
    if (!side) return make_error("tensor '{}' has shape {}, expected whole numbers from 0", name, shape->dump());
    out.view.shape.push_back(static_cast<std::int64_t>(*side));
  }
  if (!shape_is_list) return make_error("tensor '{}' has shape {}, expected a list", name, shape->dump());

  const bool is_pair = offsets->is_array() && offsets->size() == 2;
  const auto begin = is_pair ? size_of((*offsets)[0]) : std::nullopt;
  const auto end = is_pair ? size_of((*offsets)[1]) : std::nullopt;
  if (!begin || !end || *begin > *end) {
    return make_error("tensor '{}' has data_offsets {}, expected [begin, end]", name, offsets->dump());
  }
  if (*end > data.size()) {
    return make_error("tensor '{}' ends at byte {} of {}: the file is truncated", name, *end, data.size());
  }
  const auto bytes = byte_count(out.view.dtype, out.view.shape);
  if (!bytes || *bytes != *end - *begin) {
    return make_error("tensor '{}' is {} of shape {} but has {} bytes", name, type, shape->dump(), *end - *begin);
  }
  out.begin = *begin;
  out.end = *end;
  out.view.data = data.subspan(*begin, *end - *begin);
  return out;
}

Expected<void> check_layout(std::vector<Entry> entries, std::size_t data_bytes) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t at = 0;
  std::string_view before = "the header";
  for (const Entry& entry : entries) {
    if (entry.begin < at) {
      return make_error("tensors '{}' and '{}' overlap at byte {}", before, entry.name, entry.begin);
    }
    if (entry.begin > at)
      return make_error("{} bytes between {} and tensor '{}'", entry.begin - at, before, entry.name);
    at = entry.end;
    before = entry.name;
  }
  if (at != data_bytes) return make_error("{} bytes after the last tensor", data_bytes - at);
  return {};
}

Expected<std::map<std::string, std::string>> parse_metadata(const nlohmann::json& value) {
  if (!value.is_object()) return Error{"__metadata__ is not an object"};
  std::map<std::string, std::string> out;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) return make_error("__metadata__ '{}' is not a string", key);
    out.emplace(key, text.get<std::string>());
  }
  return out;
}

}  // namespace

Expected<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::open(const std::string& path) {
  Expected<MappedFile> file = MappedFile::open(path);
  if (!file) return file.error();
  file->read_in_order();
  const Expected<nlohmann::json> header = parse_header(path, file->bytes());
  if (!header) return header.error();
  std::uint64_t length = 0;
  std::memcpy(&length, file->bytes().data(), kLengthBytes);
  const auto data = file->bytes().subspan(kLengthBytes + length);

  std::map<std::string, std::string> metadata;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header->items()) {
    if (name == "__metadata__") {
      auto read = parse_metadata(value);
      if (!read) return make_error("{}: {}", path, read.error().message);
      metadata = *std::move(read);
      continue;
    }
    auto entry = parse_tensor(name, value, data);
    if (!entry) return make_error("{}: {}", path, entry.error().message);
    entries.push_back(*std::move(entry));
  }
  if (const auto layout = check_layout(entries, data.size()); !layout) {
    return make_error("{}: {}", path, layout.error().message);
  }
  Tensors tensors;
  for (Entry& entry : entries) tensors.emplace(std::move(entry.name), std::move(entry.view));
  return std::shared_ptr<const SafetensorsFile>(
      new SafetensorsFile(path, *std::move(file), std::move(tensors), std::move(metadata)));
}

Expected<TensorView> SafetensorsFile::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    return make_error("{} has no tensor '{}' ({} others)", path_, name, tensors_.size());
  }
  return found->second;
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> out;
  for (const auto& [name, view] : tensors_) out.push_back(name);
  return out;
}

}  // namespace weft::model
