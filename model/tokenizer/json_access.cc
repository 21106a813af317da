#include "model/tokenizer/json_access.h"

#include "model/base/mmap.h"

namespace weft::model {

using nlohmann::json;

Expected<std::string> read_text_file(const std::string& path) {
  const auto file = MappedFile::open(path);
  if (!file) return file.error();
  const auto raw = file->bytes();
  return std::string(reinterpret_cast<const char*>(raw.data()), raw.size());
}

Expected<json> parse_json(std::string_view text, const std::string& origin) {
  try {
    return json::parse(text);
  } catch (const json::parse_error& failure) {
    return make_error("{} is not JSON: it goes wrong at byte {} of {}", origin, failure.byte, text.size());
  } catch (const json::exception& failure) {  // a number beyond double's
    return make_error("{}: {}", origin, failure.what());
  }
}

std::string text_of(const json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool flag_of(const json& object, const char* field, bool absent) {
  const auto found = object.find(field);
  return found != object.end() && found->is_boolean() ? found->get<bool>() : absent;
}

}  // namespace weft::model
