#include "lsp/adapter_control.h"

#include <atomic>
#include <utility>

#include "lsp/worker.h"

namespace weft::lsp {
namespace {

using adapters::InstalledAdapter;

// `done` where whoever is first answers.
template <class T>
AdapterControl::Done<T> once(AdapterControl::Done<T> done) {
  return [answered = std::make_shared<std::atomic<bool>>(false), done = std::move(done)](Expected<T> result) {
    if (!answered->exchange(true)) done(std::move(result));
  };
}

class RegistryControl final : public AdapterControl {
 public:
  explicit RegistryControl(std::shared_ptr<adapters::AdapterRegistry> registry) : registry_(std::move(registry)) {}

  std::vector<InstalledAdapter> list() const override { return registry_->list(); }
  Expected<void> remove(const std::string& name) override { return registry_->remove(name); }

  void inspect(std::string directory, Done<AdapterReport> done) override {
    submit<AdapterReport>(
        [this, directory = std::move(directory)](const Done<AdapterReport>& then) {
          const auto files = registry_->read(directory);
          then(files ? Expected(report_of(*files, directory)) : Expected<AdapterReport>(files.error()));
        },
        std::move(done));
  }

  void add(std::string directory, Done<InstalledAdapter> done) override {
    submit<InstalledAdapter>([this, directory = std::move(directory)](
                                 const Done<InstalledAdapter>& then) { registry_->add(directory, then); },
                             std::move(done));
  }

 private:
  template <class T>
  void submit(std::function<void(const Done<T>&)> work, Done<T> done) {
    const Done<T> answer = once<T>(std::move(done));
    worker_.submit({.run = [work = std::move(work), answer](const std::function<void()>& over) -> Worker::Stop {
                      over();  // there is nothing to cancel later
                      work(answer);
                      return {};
                    },
                    .drop = [answer] { answer(make_error("weftd is ending")); },
                    .failed = [answer](const Error& error) { answer(error); }});
  }

  const std::shared_ptr<adapters::AdapterRegistry> registry_;
  Worker worker_;  // last: its jobs use the registry
};

Json to_json(const adapters::AdapterInfo& info) {
  return {{"name", info.name}, {"task", info.task},   {"base", info.base_name},
          {"rank", info.rank}, {"alpha", info.alpha}, {"threshold", info.threshold}};
}

}  // namespace

AdapterReport report_of(const adapters::AdapterFiles& files, std::string directory) {
  AdapterReport report{files.info, std::move(directory), files.adapter.deltas.size(), 0};
  for (const model::LoraDelta& delta : files.adapter.deltas) report.parameters += delta.a.size() + delta.b.size();
  return report;
}

Json to_json(const AdapterReport& report) {
  Json out = to_json(report.info);
  out["directory"] = report.directory;
  out["modules"] = report.modules;
  out["parameters"] = report.parameters;
  return out;
}

Json to_json(const InstalledAdapter& adapter) {
  Json out = to_json(adapter.info);
  out["directory"] = adapter.directory;
  return out;
}

std::shared_ptr<AdapterControl> make_adapter_control(std::shared_ptr<adapters::AdapterRegistry> registry) {
  return std::make_shared<RegistryControl>(std::move(registry));
}

}  // namespace weft::lsp
