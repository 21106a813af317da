// safetensors files: named tensors as views into the mapped file, and an atomic writer. Free of torch. A file that
// opens is whole: every tensor lies within it, tensors do not overlap, and their sizes follow from dtype and shape.
// SafetensorsFile is immutable and thread-safe; views live as long as the file they come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/expected.h"
#include "model/base/mmap.h"

namespace weft::model {

enum class Dtype { kF32, kBf16, kF16, kI64 };
[[nodiscard]] std::size_t dtype_size(Dtype dtype);
[[nodiscard]] std::string_view dtype_name(Dtype dtype);  // "F32", "BF16", "F16", "I64"

struct TensorView {
  Dtype dtype = Dtype::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;  // row-major, little-endian
};

struct NamedTensorView {
  std::string name;
  TensorView tensor;
};

class SafetensorsFile {
 public:
  // Error: what is wrong with which tensor of which file.
  static Expected<std::shared_ptr<const SafetensorsFile>> open(const std::string& path);
  [[nodiscard]] Expected<TensorView> find(std::string_view name) const;  // Error: not there
  [[nodiscard]] std::vector<std::string> names() const;                  // sorted
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  using Tensors = std::map<std::string, TensorView, std::less<>>;
  SafetensorsFile(std::string path, MappedFile file, Tensors tensors, std::map<std::string, std::string> metadata)
      : path_(std::move(path)), file_(std::move(file)), tensors_(std::move(tensors)), metadata_(std::move(metadata)) {}
  std::string path_;
  MappedFile file_;
  Tensors tensors_;
  std::map<std::string, std::string> metadata_;
};

// Whoever reads `path` sees the old file or the whole new one: temporary file beside it, fsync, rename.
// Error: a full disk and the like, a name given twice, data that does not fit the shape. Tensors keep the given order.
Expected<void> write_safetensors(const std::string& path, const std::vector<NamedTensorView>& tensors,
                                 const std::map<std::string, std::string>& metadata = {});

// A checkpoint folder: one model.safetensors, or the shards that model.safetensors.index.json names. Thread-safe.
class Checkpoint {
 public:
  static Expected<Checkpoint> open(const std::string& directory);
  [[nodiscard]] Expected<TensorView> find(std::string_view name) const;  // Error: what is missing, where
  [[nodiscard]] std::vector<std::string> names() const;                  // sorted
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  Checkpoint() = default;
  std::string directory_;
  std::map<std::string, std::shared_ptr<const SafetensorsFile>, std::less<>> owners_;  // by tensor name
  std::map<std::string, std::string> metadata_;
};

}  // namespace weft::model
