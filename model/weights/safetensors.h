// safetensors files: named tensors as views into the mapped file, and two writers. Free of torch. A file that
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
#include "model/base/unique_fd.h"
#include "model/weights/tensor_view.h"

namespace weft::model {

class SafetensorsFile {
 public:
  // Error: what is wrong with which tensor of which file.
  static Expected<std::shared_ptr<const SafetensorsFile>> open(const std::string& path);
  using Tensors = std::map<std::string, TensorView, std::less<>>;
  [[nodiscard]] const Tensors& tensors() const { return tensors_; }
  [[nodiscard]] std::uint64_t bytes() const { return file_.bytes().size(); }
  [[nodiscard]] Expected<TensorView> find(std::string_view name) const;  // Error: not there
  [[nodiscard]] std::vector<std::string> names() const;                  // sorted
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  SafetensorsFile(std::string path, MappedFile file, Tensors tensors, std::map<std::string, std::string> metadata)
      : path_(std::move(path)), file_(std::move(file)), tensors_(std::move(tensors)), metadata_(std::move(metadata)) {
    for (auto& [name, view] : tensors_) view.file = &file_;
  }
  std::string path_;
  MappedFile file_;
  Tensors tensors_;
  std::map<std::string, std::string> metadata_;
};

// Whoever reads `path` sees the old file or the whole new one: temporary file beside it, fsync, rename.
// Error: a full disk and the like, a name given twice, data that does not fit the shape. Tensors keep the given order.
Expected<void> write_safetensors(const std::string& path, const std::vector<NamedTensorView>& tensors,
                                 const std::map<std::string, std::string>& metadata = {});

// The same, tensor by tensor, for files larger than memory. The file is whole once `finish` has returned without an
// error; one that is destroyed before leaves it cut off, so write into a folder that is renamed afterwards.
class SafetensorsStream {
 public:
  struct Plan {
    std::string name;
    Dtype dtype = Dtype::kF32;
    std::vector<std::int64_t> shape;
  };
  static Expected<SafetensorsStream> create(const std::string& path, const std::vector<Plan>& tensors,
                                            const std::map<std::string, std::string>& metadata = {});
  // The next bytes of the data, in the plan's order, in pieces of any size.
  Expected<void> append(std::span<const std::byte> data);
  Expected<void> finish();  // Error: also when other bytes were appended than planned

 private:
  SafetensorsStream(std::string path, UniqueFd file, std::uint64_t left)
      : path_(std::move(path)), file_(std::move(file)), left_(left) {}
  std::string path_;
  UniqueFd file_;
  std::uint64_t left_;  // data bytes that are still to come
};

}  // namespace weft::model
