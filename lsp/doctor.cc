#include "lsp/doctor.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "adapters/lora/peft.h"
#include "adapters/registry/registry.h"
#include "model/model_files.h"
#include "model/runner.h"

namespace weft::lsp {
namespace {

namespace fs = std::filesystem;
constexpr double kMiB = 1024.0 * 1024.0;
constexpr std::uint64_t kWorkspaceBytes = std::uint64_t{512} << 20;  // KV, activations and the program itself

void add_error(DoctorReport& report, std::string problem, std::string remedy) {
  report.findings.push_back({Finding::Level::kError, std::move(problem), std::move(remedy)});
}

void add_warning(DoctorReport& report, std::string problem, std::string remedy) {
  report.findings.push_back({Finding::Level::kWarning, std::move(problem), std::move(remedy)});
}

std::uint64_t weights_bytes(const std::string& directory) {
  std::uint64_t total = 0;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(directory, code)) {
    if (entry.path().extension() != ".safetensors") continue;
    const auto size = entry.file_size(code);
    if (!code) total += size;
  }
  return total;
}

void load_for_real(DoctorReport& report) {
  const auto loaded = model::load_model({.directory = report.model.directory, .progress = {}});
  if (!loaded) {
    add_error(report, loaded.error().message,
              "the model directory is incomplete or damaged: fetch or package it again");
    return;
  }
  const auto& info = loaded->runner->info();
  report.model.loads = true;
  report.model.parameters = info.parameters;
  report.model.dtype = info.dtype;
  report.model.device = info.device;
}

void examine_adapters(DoctorReport& report, const model::ModelConfig& config) {
  const auto folders = adapters::shipped_adapters(report.model.directory);
  if (folders.empty()) return;
  const auto hash = adapters::base_hash(report.model.directory);
  for (const std::string& folder : folders) {
    const auto files =
        hash ? adapters::read_adapter(folder, config, *hash) : Expected<adapters::AdapterFiles>(hash.error());
    if (files) {
      report.model.adapters.push_back(files->info.task);
    } else {
      add_warning(report, files.error().message,
                  "weft does without this adapter: train it again, or remove its folder");
    }
  }
}

void examine_model(DoctorReport& report, const std::string& requested) {
  auto& model = report.model;
  const auto directory = model::find_model_directory(requested);
  if (!directory) {
    add_error(report, directory.error().message, "name a model directory with --model or $WEFT_MODEL");
    return;
  }
  model.directory = *directory;
  const auto config = model::read_config(model.directory);
  if (!config) {
    add_error(report, config.error().message, "the model directory needs a config.json of a supported family");
    return;
  }
  model.name = config->name;
  model.architecture = config->architecture != nullptr ? std::string(config->architecture->name) : "";
  model.parameters = config->parameters();
  model.max_positions = static_cast<std::size_t>(config->max_positions);
  model.vocabulary = static_cast<std::size_t>(config->vocabulary);
  model.can_infill = config->fim.available();
  model.size_bytes = weights_bytes(model.directory);
  if (!model.can_infill) {
    add_warning(report, "the model has no infilling tokens",
                "only text before the cursor is used; a code model with "
                "infilling gives better answers");
  }
  const std::uint64_t needed = model.size_bytes + kWorkspaceBytes;
  if (report.memory.available_bytes != 0 && report.memory.available_bytes < needed) {
    add_error(
        report,
        fmt::format("{:.0f} MiB of memory are available and the model needs about {:.0f} MiB",
                    static_cast<double>(report.memory.available_bytes) / kMiB, static_cast<double>(needed) / kMiB),
        "close something, raise the limit, or use a smaller model");
    return;
  }
  load_for_real(report);
  examine_adapters(report, *config);
}

}  // namespace

bool DoctorReport::healthy() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.level == Finding::Level::kError; });
}

DoctorReport examine(const std::string& version, const std::string& model) {
  DoctorReport report;
  report.version = version;
  report.backend = model::backend_info();
  report.memory = read_memory();
  if (!report.backend.avx2 && report.backend.cpu_capability == "DEFAULT") {
    add_warning(report, "the processor's vector instructions are not used", "answers will be slow");
  }
  examine_model(report, model);
  return report;
}

nlohmann::json to_json(const DoctorReport& report) {
  nlohmann::json findings = nlohmann::json::array();
  for (const auto& finding : report.findings) {
    findings.push_back({{"level", finding.level == Finding::Level::kError ? "error" : "warning"},
                        {"problem", finding.problem},
                        {"remedy", finding.remedy}});
  }
  const auto& backend = report.backend;
  const auto& model = report.model;
  return {{"version", report.version},
          {"ok", report.healthy()},
          {"libtorch", backend.torch_version},
          {"cpu",
           {{"kernels", backend.cpu_capability},
            {"avx2", backend.avx2},
            {"avx512", backend.avx512},
            {"avx512_vnni", backend.avx512_vnni},
            {"avx512_bf16", backend.avx512_bf16},
            {"amx_bf16", backend.amx_bf16},
            {"amx_int8", backend.amx_int8},
            {"threads", backend.threads}}},
          {"cuda", {{"built", backend.cuda_built}, {"devices", backend.cuda_devices}, {"nccl", backend.nccl_version}}},
          {"memory",
           {{"total_bytes", report.memory.total_bytes},
            {"available_bytes", report.memory.available_bytes},
            {"limited_by_cgroup", report.memory.limited_by_cgroup}}},
          {"model",
           {{"directory", model.directory},
            {"name", model.name},
            {"architecture", model.architecture},
            {"parameters", model.parameters},
            {"size_bytes", model.size_bytes},
            {"max_positions", model.max_positions},
            {"vocabulary", model.vocabulary},
            {"dtype", model.dtype},
            {"device", model.device},
            {"infilling", model.can_infill},
            {"loads", model.loads},
            {"adapters", model.adapters}}},
          {"findings", findings}};
}

std::string to_text(const DoctorReport& report) {
  const auto& model = report.model;
  std::string out =
      fmt::format("weft       {}\nbackend    {}\nmemory     {:.0f} MiB available of {:.0f} MiB{}\n", report.version,
                  model::describe_backend(), static_cast<double>(report.memory.available_bytes) / kMiB,
                  static_cast<double>(report.memory.total_bytes) / kMiB,
                  report.memory.limited_by_cgroup ? " (limited by the control group)" : "");
  if (!model.name.empty()) {
    out += fmt::format("model      {} ({}, {:.1f} M parameters, {:.1f} MiB, {} positions)\n           {}\n", model.name,
                       model.architecture, static_cast<double>(model.parameters) / 1e6,
                       static_cast<double>(model.size_bytes) / kMiB, model.max_positions, model.directory);
  }
  if (model.loads) out += fmt::format("runs on    {} in {}\n", model.device, model.dtype);
  if (!model.adapters.empty()) out += fmt::format("adapters   {}\n", fmt::join(model.adapters, ", "));
  for (const auto& finding : report.findings) {
    out += fmt::format("{}: {}\n  what to do: {}\n", finding.level == Finding::Level::kError ? "error" : "warning",
                       finding.problem, finding.remedy);
  }
  out += report.healthy() ? "completion works\n" : "completion cannot work\n";
  return out;
}

}  // namespace weft::lsp
