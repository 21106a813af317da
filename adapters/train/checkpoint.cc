#include "adapters/train/checkpoint.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "model/tensor_file.h"
#include "model/weights/safetensors.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kKept = 2;

std::vector<fs::path> checkpoints(const std::string& directory) {
  std::vector<fs::path> out;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(directory, failed)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && name.ends_with(".safetensors")) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());  // the step has eight digits
  return out;
}

std::string to_text(const TrainingState& state) {
  return nlohmann::json{{"step", state.step},
                        {"tokens", state.tokens},
                        {"epoch", state.sampler.epoch},
                        {"chunk", state.sampler.chunk},
                        {"token", state.sampler.token},
                        {"best_loss", state.best.held_out_loss},
                        {"best_step", state.best.step},
                        {"worse_since", state.best.worse_since},
                        {"fingerprint", state.fingerprint}}
      .dump();
}

Expected<TrainingState> from_text(const std::string& path, const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  TrainingState state;
  try {
    state.step = json.at("step").get<std::size_t>();
    state.tokens = json.at("tokens").get<std::size_t>();
    state.sampler = {json.at("epoch").get<std::uint64_t>(), json.at("chunk").get<std::uint64_t>(),
                     json.at("token").get<std::uint64_t>()};
    // Absent in checkpoints of runs that look at no held-out loss.
    state.best = {json.value("best_loss", -1.0), json.value("best_step", std::size_t{0}),
                  json.value("worse_since", std::size_t{0})};
    state.fingerprint = json.at("fingerprint").get<std::string>();
  } catch (const nlohmann::json::exception& failure) {
    return make_error("{}: its training state cannot be read: {}", path, failure.what());
  }
  return state;
}

Expected<void> copy_in(const model::SafetensorsFile& file, const std::vector<Parameter>& into) {
  const at::NoGradGuard no_gradient;
  for (const Parameter& parameter : into) {
    const auto view = file.find(parameter.name);
    if (!view) return view.error();
    at::Tensor value = parameter.value;
    if (view->shape != value.sizes().vec()) return make_error("{} has another shape in the checkpoint", parameter.name);
    value.copy_(model::to_tensor(*view));
  }
  return {};
}

}  // namespace

Expected<void> save_checkpoint(const std::string& directory, const TrainingState& state,
                               const std::vector<Parameter>& parameters, const Optimizer& optimizer) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) return make_error("{}: {}", directory, failed.message());
  std::vector<model::NamedTensorView> views;
  for (const Parameter& parameter : parameters) views.push_back({parameter.name, model::to_view(parameter.value)});
  for (const Parameter& held : optimizer.state()) views.push_back({held.name, model::to_view(held.value)});
  const fs::path path = fs::path(directory) / fmt::format("step-{:08}.safetensors", state.step);
  if (auto written = model::write_safetensors(path.string(), views, {{"weft_training", to_text(state)}}); !written) {
    return written.error();
  }
  const std::vector<fs::path> held = checkpoints(directory);
  for (std::size_t i = 0; i + kKept < held.size(); ++i) fs::remove(held[i], failed);
  return {};
}

std::optional<std::string> newest_checkpoint(const std::string& directory) {
  const std::vector<fs::path> held = checkpoints(directory);
  if (held.empty()) return std::nullopt;
  return held.back().string();
}

Expected<TrainingState> load_checkpoint(const std::string& path, const std::string& fingerprint,
                                        const std::vector<Parameter>& parameters, Optimizer& optimizer) {
  const auto file = model::SafetensorsFile::open(path);
  if (!file) return file.error();
  const auto found = (*file)->metadata().find("weft_training");
  if (found == (*file)->metadata().end()) return make_error("{}: not a training checkpoint of weft", path);
  Expected<TrainingState> state = from_text(path, found->second);
  if (!state) return state.error();
  if (state->fingerprint != fingerprint) {
    return make_error("{}: made with other data or options ({} there, {} now); use another --out or --fresh", path,
                      state->fingerprint, fingerprint);
  }
  for (const auto& group : {parameters, optimizer.state()}) {
    if (auto copied = copy_in(**file, group); !copied) return make_error("{}: {}", path, copied.error().message);
  }
  optimizer.set_steps(state->step);
  return state;
}

}  // namespace weft::adapters
