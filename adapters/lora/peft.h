// Adapters on disk in PEFT's format: adapter_config.json and adapter_model.safetensors (fp32). Reads full paths,
// suffixes and regular expressions of target_modules, rank and alpha patterns, rsLoRA. What weft cannot honour (DoRA,
// modules_to_save, biases, another base's PiSSA, …) is refused by name, never ignored. Free of torch. Pure but for
// files.
#pragma once

#include <string>

#include "model/base/expected.h"
#include "model/config/model_config.h"
#include "model/lora.h"

namespace weft::adapters {

// What weft writes beside PEFT's own fields, under "weft" in adapter_config.json. All may be empty: an adapter from
// elsewhere.
struct AdapterInfo {
  std::string name;         // the folder's
  std::string task;         // "bug-detection"
  std::string base_name;    // of the model it was trained on
  std::string base_sha256;  // of that model's weights, see base_hash
  double threshold = 0;     // bug-detection: least probability that is shown, calibrated on held-out files
  int rank = 0;
  double alpha = 0;
};

struct AdapterFiles {
  AdapterInfo info;
  model::LoraAdapter adapter;
};

// Errors: a missing or damaged file, an option that weft cannot honour, a tensor that the base does not have or of
// another shape (both by name and values), another base than `base_sha256` where both are known.
Expected<AdapterFiles> read_adapter(const std::string& directory, const model::ModelConfig& base,
                                    const std::string& base_sha256);
Expected<void> write_adapter(const std::string& directory, const AdapterFiles& files);

// sha256 over the names, shapes and bytes of the weights in a model directory; what ties an adapter to its base.
Expected<std::string> base_hash(const std::string& model_directory);

}  // namespace weft::adapters
