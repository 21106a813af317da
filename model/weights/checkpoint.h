// Checkpoint: the tensors of a model that someone already has, whatever format they are in, under their Hugging Face
// names. Immutable and thread-safe; views live as long as the checkpoint or a copy of it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/expected.h"
#include "model/config/gguf_metadata.h"
#include "model/weights/quantized.h"
#include "model/weights/read_rows.h"
#include "model/weights/tensor_view.h"

namespace weft::model {

struct CheckpointFile {
  std::string path;
  std::uint64_t bytes = 0;
};

class Checkpoint {
 public:
  // A folder with model.safetensors, or with the shards that model.safetensors.index.json names; a GGUF file, of which
  // the other parts are found if it is one part; or a folder with the one GGUF file, or the parts of one. Errors name
  // the file, the tensor and the numbers.
  static Expected<Checkpoint> open(const std::string& path);

  [[nodiscard]] Expected<TensorView> find(std::string_view name) const;  // Error: what is missing, where
  [[nodiscard]] std::vector<std::string> names() const;                  // sorted
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
  [[nodiscard]] const std::vector<CheckpointFile>& files() const { return files_; }
  [[nodiscard]] const GgufMetadata* gguf() const { return gguf_ ? &*gguf_ : nullptr; }

  // The text of config.json, for parse_model_config: the folder's, or what a GGUF file's metadata says.
  [[nodiscard]] Expected<std::string> config_json() const;

  // "X.weight" is there as q * scale, as QuantizedMatrix has it: one of weft's own quantised tensors, or GGUF's Q4_0.
  [[nodiscard]] bool is_quantized(std::string_view name) const;
  // Such a weight, or part of it, [out, in] even where the file's linear is transposed; columns begin and end at
  // groups. Q8_0, whose scales are finer than a row, is rounded again. Error: anything else; a slice that is not
  // within.
  [[nodiscard]] Expected<QuantizedMatrix> find_quantized(std::string_view name) const;
  [[nodiscard]] Expected<QuantizedMatrix> find_quantized(std::string_view name, const TensorSlice& slice) const;

 private:
  Checkpoint() = default;
  static Expected<Checkpoint> open_safetensors(const std::string& directory);
  static Expected<Checkpoint> open_gguf(const std::string& path);

  std::string path_;
  std::map<std::string, TensorView, std::less<>> tensors_;
  std::map<std::string, std::string> metadata_;
  std::vector<CheckpointFile> files_;
  std::vector<std::shared_ptr<const void>> mappings_;
  std::optional<GgufMetadata> gguf_;
};

}  // namespace weft::model
