#include "lsp/model_host.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "model/base/log.h"

namespace weft::lsp {

namespace {

Json to_json(const generation::MemoryState& memory) {
  Json out = {{"root", memory.root},
              {"project",
               {{"scanned", memory.project.scanned},
                {"files", memory.project.files},
                {"tokens", memory.project.tokens},
                {"bytes", memory.project.bytes}}}};
  if (!memory.environment) return out;
  const generation::EnvironmentState& of = *memory.environment;
  out["environment"] = {{"state", generation::name_of(of.step)},
                        {"files", of.files},
                        {"tokens", of.tokens},
                        {"bytes", of.held_bytes},
                        {"fileBytes", of.file_bytes}};
  if (!of.problem.empty()) out["environment"]["problem"] = of.problem;
  return out;
}

}  // namespace

std::string_view name_of(ModelState state) {
  switch (state) {
    case ModelState::kLoading:
      return "loading";
    case ModelState::kReady:
      return "ready";
    case ModelState::kFailed:
      return "failed";
  }
  return "failed";
}

ModelHost::~ModelHost() {
  if (thread_.joinable()) thread_.join();
}

void ModelHost::start(Listener listener) {
  listener_ = std::move(listener);
  thread_ = std::thread([this] { load(); });
}

Json ModelHost::status() const {
  Json out = {{"state", name_of(state_)}};
  if (state_ == ModelState::kReady) {
    out["model"] = {{"name", model_.info.name},
                    {"parameters", model_.info.parameters},
                    {"device", model_.info.device},
                    {"dtype", model_.info.dtype}};
    if (model_.metrics) {
      for (const auto& [name, value] : model_.metrics().named()) out["engine"][std::string(name)] = value;
    }
    if (model_.backend) {
      for (const generation::MemoryState& memory : model_.backend->memory_state()) {
        out["memory"].push_back(to_json(memory));
      }
    }
  }
  if (state_ == ModelState::kFailed) out["error"] = error_;
  return out;
}

void ModelHost::load() {
  std::weak_ptr<const bool> alive = alive_;
  int last_percent = -1;
  const auto progress = [this, alive, &last_percent](double fraction) {
    const int percent = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * 100);
    if (percent <= last_percent) return;
    last_percent = percent;
    loop_.post([this, alive, percent] {
      if (alive.lock() && state_ == ModelState::kLoading) listener_.on_progress(percent);
    });
  };
  auto loaded = std::make_shared<Expected<ReadyModel>>(make_error("the model was not loaded"));
  try {
    *loaded = loader_(progress);
  } catch (const std::exception& error) {
    *loaded = make_error("loading the model failed: {}", error.what());
  }
  loop_.post([this, alive, loaded] {
    if (alive.lock()) settle(std::move(*loaded));
  });
}

void ModelHost::settle(Expected<ReadyModel> loaded) {
  if (loaded) {
    model_ = std::move(*loaded);
    state_ = ModelState::kReady;
    spdlog::info("model {} is ready on {} ({})", model_.info.name, model_.info.device, model_.info.dtype);
  } else {
    error_ = loaded.error().message;
    state_ = ModelState::kFailed;
    spdlog::error("no model: {}", error_);
  }
  listener_.on_settled();
}

}  // namespace weft::lsp
