#include <cstring>
#include <nlohmann/json.hpp>

#include "model/base/atomic_file.h"
#include "model/weights/safetensors.h"

namespace weft::model {
namespace {

// Offsets stand in the order of the tensors; spaces after the JSON put the data on a multiple of 8, as the format asks.
Expected<std::string> header_of(const std::vector<NamedTensorView>& tensors,
                                const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    std::uint64_t bytes = dtype_size(tensor.dtype);
    for (const std::int64_t side : tensor.shape) bytes *= static_cast<std::uint64_t>(side);
    if (bytes != tensor.data.size()) {
      return make_error("tensor '{}' has {} bytes, its shape asks for {}", name, tensor.data.size(), bytes);
    }
    if (name == "__metadata__" || header.contains(name)) return make_error("tensor '{}' is given twice", name);
    header[name] = {{"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  // Names that are not UTF-8 would make dump() throw; they are written with U+FFFD instead.
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

Expected<void> write_safetensors(const std::string& path, const std::vector<NamedTensorView>& tensors,
                                 const std::map<std::string, std::string>& metadata) {
  const Expected<std::string> header = header_of(tensors, metadata);
  if (!header) return make_error("cannot write {}: {}", path, header.error().message);
  const std::uint64_t length = header->size();
  std::vector<std::span<const std::byte>> pieces = {std::as_bytes(std::span(&length, 1)),
                                                    std::as_bytes(std::span(header->data(), header->size()))};
  for (const auto& [name, tensor] : tensors) pieces.push_back(tensor.data);
  return write_file_atomically(path, pieces);
}

}  // namespace weft::model
