#include "lsp/adapter_methods.h"

#include <filesystem>
#include <utility>

namespace weft::lsp {
namespace {

void refuse(Reply& reply, ErrorCode code, std::string message) {
  Reply used = std::move(reply);
  std::move(used).error(code, std::move(message));
}

Expected<std::string> read_text(const Json& params, const char* field) {
  const auto found = params.is_object() ? params.find(field) : params.end();
  if (!params.is_object() || found == params.end() || !found->is_string() ||
      found->get_ref<const std::string&>().empty()) {
    return make_error("params.{} should be a text that is not empty", field);
  }
  return found->get<std::string>();
}

// Whoever asks has another working directory.
Expected<std::string> read_directory(const Json& params) {
  auto directory = read_text(params, "directory");
  if (!directory) return directory;
  if (directory->find('\0') != std::string::npos || !std::filesystem::path(*directory).is_absolute()) {
    return make_error("params.directory should be an absolute path");
  }
  return directory;
}

template <class T>
AdapterControl::Done<T> as_json(std::function<void(Expected<Json>)> done) {
  return [done = std::move(done)](Expected<T> result) {
    done(result ? Expected<Json>(to_json(*result)) : Expected<Json>(result.error()));
  };
}

}  // namespace

AdapterMethods::AdapterMethods(Loop& loop, const ModelHost& model, Dispatcher& client) : loop_(loop), model_(model) {
  client.on_request("weft/adapters/list", [this](const Json&, Reply reply) {
    const AdapterControl* adapters = adapters_or_refuse(reply);
    if (adapters == nullptr) return;
    Json listed = Json::array();
    for (const adapters::InstalledAdapter& each : adapters->list()) listed.push_back(to_json(each));
    std::move(reply).result({{"adapters", std::move(listed)}});
  });
  client.on_request("weft/adapters/inspect", [this](const Json& params, Reply reply) {
    start(params, std::move(reply), [](AdapterControl& adapters, std::string directory, Done done) {
      adapters.inspect(std::move(directory), as_json<AdapterReport>(std::move(done)));
    });
  });
  client.on_request("weft/adapters/add", [this](const Json& params, Reply reply) {
    start(params, std::move(reply), [](AdapterControl& adapters, std::string directory, Done done) {
      adapters.add(std::move(directory), as_json<adapters::InstalledAdapter>(std::move(done)));
    });
  });
  client.on_request("weft/adapters/remove",
                    [this](const Json& params, Reply reply) { remove(params, std::move(reply)); });
}

AdapterControl* AdapterMethods::adapters_or_refuse(Reply& reply) const {
  if (model_.state() == ModelState::kLoading) {
    refuse(reply, ErrorCode::kRequestFailed, "the model is still loading");
  } else if (model_.state() == ModelState::kFailed) {
    refuse(reply, ErrorCode::kRequestFailed, "there is no model: " + model_.error());
  } else if (model_.adapters() == nullptr) {
    refuse(reply, ErrorCode::kRequestFailed, "this model takes no adapters");
  }
  return model_.adapters();
}

void AdapterMethods::start(const Json& params, Reply reply,
                           const std::function<void(AdapterControl&, std::string directory, Done)>& ask) {
  AdapterControl* adapters = adapters_or_refuse(reply);
  if (adapters == nullptr) return;
  auto directory = read_directory(params);
  if (!directory) return refuse(reply, ErrorCode::kInvalidParams, directory.error().message);
  if (open_.size() >= kMostOpenRequests) {
    return refuse(reply, ErrorCode::kRequestFailed,
                  fmt::format("{} requests about adapters are under way already", open_.size()));
  }
  const std::uint64_t key = ++last_key_;
  open_.emplace(key, std::move(reply));
  const std::weak_ptr<const bool> alive = alive_;
  ask(*adapters, std::move(*directory), [this, alive, &loop = loop_, key](Expected<Json> result) {
    loop.post([this, alive, key, result = std::move(result)] {
      if (!alive.lock()) return;
      auto node = open_.extract(key);
      if (result) return std::move(node.mapped()).result(*result);
      std::move(node.mapped()).error(ErrorCode::kRequestFailed, result.error().message);
    });
  });
}

void AdapterMethods::remove(const Json& params, Reply reply) {
  AdapterControl* adapters = adapters_or_refuse(reply);
  if (adapters == nullptr) return;
  const auto name = read_text(params, "name");
  if (!name) return refuse(reply, ErrorCode::kInvalidParams, name.error().message);
  const auto removed = adapters->remove(*name);
  if (!removed) return refuse(reply, ErrorCode::kRequestFailed, removed.error().message);
  std::move(reply).result({{"removed", *name}});
}

}  // namespace weft::lsp
