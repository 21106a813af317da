// The tensors of a GGUF file as Hugging Face has them: their names, and what converters did to some. Pure.
#pragma once

#include <map>
#include <string>

#include "model/base/expected.h"
#include "model/config/gguf_config.h"
#include "model/weights/gguf.h"

namespace weft::model {

using TensorViews = std::map<std::string, TensorView, std::less<>>;

// Stacked experts become one tensor an expert. What the table does not name keeps its name. Errors: an architecture
// that is not known, with those that are; a tensor whose shape is not what its name promises.
Expected<TensorViews> huggingface_tensors(const GgufContents& contents);

// What gguf_config_json needs to know of them. Error: the embedding is not there.
Expected<GgufTensorFacts> tensor_facts(const TensorViews& huggingface);

}  // namespace weft::model
