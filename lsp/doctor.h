// What `weft doctor` finds out: the machine, the model that would be used, and what stands in the way of completion.
// Main thread only; reads files and loads the model, changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/backend.h"
#include "model/base/memory.h"

namespace weft::lsp {

struct Finding {
  enum class Level { kWarning, kError };  // an error: completion cannot work
  Level level = Level::kWarning;
  std::string problem, remedy;
};

struct ModelReport {
  std::string directory, name, architecture, dtype, device;
  std::size_t parameters = 0, max_positions = 0, vocabulary = 0;
  std::uint64_t size_bytes = 0;
  bool can_infill = false;
  bool loads = false;
  std::vector<std::string> adapters;  // those that come with it and fit, by their tasks
};

struct DoctorReport {
  std::string version;
  model::BackendInfo backend;
  MemoryReport memory;
  ModelReport model;
  std::vector<Finding> findings;
  [[nodiscard]] bool healthy() const;  // no error among the findings
};

// `model`: a directory, or empty for where the daemon would look.
DoctorReport examine(const std::string& version, const std::string& model);
nlohmann::json to_json(const DoctorReport& report);
std::string to_text(const DoctorReport& report);

}  // namespace weft::lsp
