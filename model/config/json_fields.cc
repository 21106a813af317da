#include "model/config/json_fields.h"

#include <limits>
#include <utility>

namespace weft::model {
namespace {

// A whole number, however JSON's reader holds it.
std::optional<std::int64_t> whole(const nlohmann::json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  return std::nullopt;
}

std::string shortened(const nlohmann::json& value) {
  constexpr std::size_t kLongest = 80;
  const std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "…";
}

}  // namespace

const nlohmann::json* JsonFields::find(std::string_view field) const {
  const auto found = object_.find(field);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void JsonFields::fail(std::string message) {
  if (!error_) error_ = Error{std::move(message)};
}

void JsonFields::expected(std::string_view field, std::string_view what, const nlohmann::json& value) {
  fail(fmt::format("{} is {}, expected {}", field, shortened(value), what));
}

int JsonFields::integer(std::string_view field, Limits limits) {
  if (find(field) == nullptr) fail(fmt::format("{} is missing", field));
  return integer(field, limits, static_cast<int>(limits.least));
}

int JsonFields::integer(std::string_view field, Limits limits, int absent) {
  const nlohmann::json* value = find(field);
  if (value == nullptr) return absent;
  const auto number = whole(*value);
  if (number && *number >= limits.least && *number <= limits.most) return static_cast<int>(*number);
  expected(field, fmt::format("a whole number from {} to {}", limits.least, limits.most), *value);
  return static_cast<int>(limits.least);
}

double JsonFields::number(std::string_view field, double above, double most, double absent) {
  const nlohmann::json* value = find(field);
  if (value == nullptr) return absent;
  if (value->is_number()) {
    const auto number = value->get<double>();
    if (number > above && number <= most) return number;
  }
  expected(field, fmt::format("a number above {} and up to {}", above, most), *value);
  return absent;
}

bool JsonFields::flag(std::string_view field, bool absent) {
  const nlohmann::json* value = find(field);
  if (value == nullptr) return absent;
  if (value->is_boolean()) return value->get<bool>();
  expected(field, "true or false", *value);
  return absent;
}

std::string JsonFields::text(std::string_view field, std::string_view absent) {
  const nlohmann::json* value = find(field);
  if (value == nullptr) return std::string(absent);
  if (value->is_string()) return value->get<std::string>();
  expected(field, "a string", *value);
  return std::string(absent);
}

std::vector<std::string> JsonFields::texts(std::string_view field) {
  const nlohmann::json* value = find(field);
  std::vector<std::string> out;
  if (value == nullptr) return out;
  if (!value->is_array()) expected(field, "a list of strings", *value);
  for (const auto& item : *value) {
    if (item.is_string()) {
      out.push_back(item.get<std::string>());
    } else {
      expected(field, "a list of strings", *value);
    }
  }
  return out;
}

std::vector<std::int32_t> JsonFields::ids(std::string_view field, int vocabulary) {
  const nlohmann::json* value = find(field);
  std::vector<std::int32_t> out;
  if (value == nullptr) return out;
  const nlohmann::json list = value->is_array() ? *value : nlohmann::json::array({*value});
  for (const auto& item : list) {
    const auto id = whole(item);
    if (id && *id >= 0 && *id < vocabulary) {
      out.push_back(static_cast<std::int32_t>(*id));
    } else {
      expected(field, fmt::format("token ids below vocab_size {}", vocabulary), *value);
    }
  }
  return out;
}

}  // namespace weft::model
