// JsonFields: reads the fields of one JSON object within limits and keeps the first thing that is wrong. Null counts as
// absent, as transformers writes it. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/expected.h"

namespace weft::model {

class JsonFields {
 public:
  // `object` outlives this.
  explicit JsonFields(const nlohmann::json& object) : object_(object) {}

  struct Limits {
    std::int64_t least, most;
  };
  int integer(std::string_view field, Limits limits);  // required
  int integer(std::string_view field, Limits limits, int absent);
  double number(std::string_view field, double above, double most, double absent);
  bool flag(std::string_view field, bool absent);
  std::string text(std::string_view field, std::string_view absent);
  std::vector<std::string> texts(std::string_view field);
  std::vector<std::int32_t> ids(std::string_view field, int vocabulary);  // a number or a list of them

  [[nodiscard]] const nlohmann::json* find(std::string_view field) const;  // nullptr: absent or null
  void fail(std::string message);
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] Error error() const { return error_.value_or(Error{}); }

 private:
  void expected(std::string_view field, std::string_view what, const nlohmann::json& value);
  const nlohmann::json& object_;
  std::optional<Error> error_;
};

}  // namespace weft::model
