// What `weft doctor` finds out: the machine, the model that would be used, and what stands in the way of completion.
// Main thread only; reads files and loads the model, changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/backend.h"

namespace weft::lsp {

struct MemoryReport {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;  // the smaller of what the machine and the control group leave
  bool limited_by_cgroup = false;
};

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

// `root` stands before /proc and /sys, so that a test can give its own.
MemoryReport read_memory(const std::string& root = "");
// `model`: a directory, or empty for where the daemon would look.
DoctorReport examine(const std::string& version, const std::string& model);
nlohmann::json to_json(const DoctorReport& report);
std::string to_text(const DoctorReport& report);

}  // namespace weft::lsp
