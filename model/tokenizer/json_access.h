// Reading JSON files of a model directory. Any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "model/base/expected.h"

namespace weft::model {

// The whole of a file. Error: the path and the system's reason.
Expected<std::string> read_text_file(const std::string& path);
// Error: `origin`, and where it stops being JSON.
Expected<nlohmann::json> parse_json(std::string_view text, const std::string& origin);

// A field of an object; "" or `absent`: it is not there or of another type.
[[nodiscard]] std::string text_of(const nlohmann::json& object, const char* field);
[[nodiscard]] bool flag_of(const nlohmann::json& object, const char* field, bool absent = false);

}  // namespace weft::model
