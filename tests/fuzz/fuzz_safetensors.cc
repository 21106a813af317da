// A safetensors file from anywhere: an error or tensors that lie within it, can be read, and are written back the same.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "model/base/check.h"
#include "model/base/unique_fd.h"
#include "model/weights/read_rows.h"
#include "model/weights/safetensors.h"

namespace {

using weft::model::SafetensorsFile;

void read_everything(const weft::model::TensorView& view) {
  WEFT_CHECK(byte_count(view.dtype, view.shape) == view.data.size());
  if (!traits(view.dtype).is_number || view.data.empty()) return;
  const auto all = weft::model::whole(view);
  std::vector<float> numbers(static_cast<std::size_t>(all.rows * all.columns));
  WEFT_CHECK(weft::model::read_rows(view, 0, all.rows, numbers.data()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weft::UniqueFd file(memfd_create("fuzz", MFD_CLOEXEC));
  WEFT_CHECK(file.valid() && write(file.get(), data, size) == static_cast<ssize_t>(size));
  const auto opened = SafetensorsFile::open(fmt::format("/proc/self/fd/{}", file.get()));
  if (!opened) {
    WEFT_CHECK(!opened.error().message.empty());
    return 0;
  }
  std::size_t bytes = 0;
  for (const auto& [name, view] : (*opened)->tensors()) {
    read_everything(view);
    bytes += view.data.size();
  }
  WEFT_CHECK(bytes <= size);
  return 0;
}
