#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "model/base/atomic_file.h"
#include "model/weights/safetensors.h"

namespace weft::model {
namespace {

using Plan = SafetensorsStream::Plan;

struct Header {
  std::string text;
  std::uint64_t data_bytes = 0;
};

// Offsets stand in the order of the tensors; spaces after the JSON put the data on a multiple of 8, as the format asks.
Expected<Header> header_of(const std::vector<Plan>& tensors, const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const auto& [name, dtype, shape] : tensors) {
    const auto bytes = byte_count(dtype, shape);
    if (!bytes || traits(dtype).block_values > 1) {
      return make_error("tensor '{}' of shape [{}] cannot be {}", name, fmt::join(shape, ", "), dtype_name(dtype));
    }
    if (name == "__metadata__" || header.contains(name)) return make_error("tensor '{}' is given twice", name);
    header[name] = {{"dtype", dtype_name(dtype)}, {"shape", shape}, {"data_offsets", {at, at + *bytes}}};
    at += *bytes;
  }
  // Names that are not UTF-8 would make dump() throw; they are written with U+FFFD instead.
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return Header{std::move(text), at};
}

std::string cannot_write(const std::string& path) {
  return fmt::format("cannot write {}: {}", path, std::strerror(errno));
}

}  // namespace

Expected<void> write_safetensors(const std::string& path, const std::vector<NamedTensorView>& tensors,
                                 const std::map<std::string, std::string>& metadata) {
  std::vector<Plan> plan;
  for (const auto& [name, tensor] : tensors) {
    plan.push_back({name, tensor.dtype, tensor.shape});
    if (const auto bytes = byte_count(tensor.dtype, tensor.shape); bytes && *bytes != tensor.data.size()) {
      return make_error("cannot write {}: tensor '{}' has {} bytes, its shape asks for {}", path, name,
                        tensor.data.size(), *bytes);
    }
  }
  const auto header = header_of(plan, metadata);
  if (!header) return make_error("cannot write {}: {}", path, header.error().message);
  const std::uint64_t length = header->text.size();
  std::vector<std::span<const std::byte>> pieces = {std::as_bytes(std::span(&length, 1)),
                                                    std::as_bytes(std::span(header->text))};
  for (const auto& [name, tensor] : tensors) pieces.push_back(tensor.data);
  return write_file_atomically(path, pieces);
}

Expected<SafetensorsStream> SafetensorsStream::create(const std::string& path, const std::vector<Plan>& tensors,
                                                      const std::map<std::string, std::string>& metadata) {
  const auto header = header_of(tensors, metadata);
  if (!header) return make_error("cannot write {}: {}", path, header.error().message);
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (file.get() < 0) return Error{cannot_write(path)};
  const std::uint64_t length = header->text.size();
  SafetensorsStream stream(path, std::move(file), sizeof length + length + header->data_bytes);
  if (auto written = stream.append(std::as_bytes(std::span(&length, 1))); !written) return written.error();
  if (auto written = stream.append(std::as_bytes(std::span(header->text))); !written) return written.error();
  return stream;
}

Expected<void> SafetensorsStream::append(std::span<const std::byte> data) {
  if (data.size() > left_) {
    return make_error("cannot write {}: {} bytes more than its tensors have", path_, data.size() - left_);
  }
  left_ -= data.size();
  constexpr std::size_t kMost = 1 << 30;  // one write() takes at most 2 GiB
  while (!data.empty()) {
    const ssize_t count = ::write(file_.get(), data.data(), std::min(data.size(), kMost));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error{cannot_write(path_)};
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Expected<void> SafetensorsStream::finish() {
  if (left_ > 0) return make_error("cannot write {}: {} bytes of its tensors are missing", path_, left_);
  if (::fsync(file_.get()) != 0) return Error{cannot_write(path_)};
  return {};
}

}  // namespace weft::model
