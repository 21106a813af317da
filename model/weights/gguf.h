// GGUF files: metadata and named tensors as views into the mapped file. A file that opens is whole: every tensor lies
// within it, tensors do not overlap, and their sizes follow from dtype and shape. Free of torch; pure.
#pragma once

#include <map>
#include <span>
#include <string>

#include "model/base/expected.h"
#include "model/config/gguf_metadata.h"
#include "model/weights/tensor_view.h"

namespace weft::model {

struct GgufContents {
  GgufMetadata metadata;
  std::map<std::string, TensorView, std::less<>> tensors{};  // under the file's names, as stored
};

// The file begins as a GGUF file does.
[[nodiscard]] bool is_gguf(std::span<const std::byte> file);

// Views into `file`. Error: what is wrong with which key or tensor; versions but 2 and 3; a dtype that weft does not
// read, by name.
Expected<GgufContents> parse_gguf(std::span<const std::byte> file);

}  // namespace weft::model
