// config.json from anywhere: an error or a configuration that is written and read back the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/base/check.h"
#include "model/config/model_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = weft::model::parse_model_config({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!config) {
    WEFT_CHECK(!config.error().message.empty());
    return 0;
  }
  WEFT_CHECK(config->layers > 0 && config->kv_heads > 0 && config->heads % config->kv_heads == 0);
  const std::string written = weft::model::to_json(*config);
  const auto again = weft::model::parse_model_config(written, "fuzz");
  WEFT_CHECK(again && again->parameters() == config->parameters() && weft::model::to_json(*again) == written);
  return 0;
}
