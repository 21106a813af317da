// A GGUF file from anywhere: an error or tensors that lie within it and can be read under their other names, a
// tokenizer whose parts fit together, and a config.json that is one.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/base/check.h"
#include "model/config/gguf_config.h"
#include "model/config/model_config.h"
#include "model/weights/gguf_names.h"
#include "model/weights/read_rows.h"

namespace {

using weft::model::TensorView;

// The numbers, and some of them again as a part.
void read_everything(const TensorView& view) {
  WEFT_CHECK(byte_count(view.dtype, view.shape) == view.data.size());
  if (!traits(view.dtype).is_number || view.data.empty()) return;
  const auto all = weft::model::whole(view);
  std::vector<float> numbers(static_cast<std::size_t>(all.rows * all.columns));
  WEFT_CHECK(weft::model::read_rows(view, 0, all.rows, numbers.data()));
  const weft::model::TensorSlice part{all.rows / 3, all.rows / 2, all.columns / 3, all.columns / 2};
  std::vector<weft::model::Bf16> some(static_cast<std::size_t>(part.rows * part.columns));
  WEFT_CHECK(weft::model::read_slice(view, part, some.data(), part.columns));
  for (std::int64_t i = 0; i < part.rows; ++i) {
    for (std::int64_t j = 0; j < part.columns; ++j) {
      const float one = numbers[static_cast<std::size_t>((part.row + i) * all.columns + part.column + j)];
      WEFT_CHECK(some[static_cast<std::size_t>(i * part.columns + j)] == weft::model::to_bf16(one));
    }
  }
}

void check_tokenizer(const weft::model::GgufMetadata& metadata) {
  const auto tokenizer = weft::model::gguf_tokenizer(metadata);
  if (!tokenizer) return;
  WEFT_CHECK(!tokenizer->tokens.empty() && tokenizer->kinds.size() == tokenizer->tokens.size());
  WEFT_CHECK(tokenizer->scores.empty() || tokenizer->scores.size() == tokenizer->tokens.size());
  for (const std::int32_t id : tokenizer->ends) {
    WEFT_CHECK(id >= 0 && static_cast<std::size_t>(id) < tokenizer->tokens.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto contents = weft::model::parse_gguf(std::as_bytes(std::span(data, size)));
  if (!contents) {
    WEFT_CHECK(!contents.error().message.empty());
    return 0;
  }
  check_tokenizer(contents->metadata);
  const auto tensors = weft::model::huggingface_tensors(*contents);
  if (!tensors) return 0;
  for (const auto& [name, view] : *tensors) read_everything(view);
  const auto facts = weft::model::tensor_facts(*tensors);
  if (!facts) return 0;
  const auto json = weft::model::gguf_config_json(contents->metadata, *facts);
  if (!json) return 0;
  const auto config = weft::model::parse_model_config(*json, "fuzz");
  WEFT_CHECK(config || config.error().message != "config.json is not a JSON object");
  return 0;
}
