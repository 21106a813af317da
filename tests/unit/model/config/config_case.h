// A config.json as a test writes it, read. Test's thread.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "model/config/model_config.h"

namespace weft::test {

// Empty: it is read.
inline std::string refusal(const nlohmann::json& config) {
  const auto parsed = model::parse_model_config(config.dump(), "folder");
  return parsed ? "" : parsed.error().message;
}

inline model::ModelConfig parsed(const nlohmann::json& config) {
  auto out = model::parse_model_config(config.dump(), "folder");
  EXPECT_TRUE(out) << out.error().message;
  return *std::move(out);
}

}  // namespace weft::test
