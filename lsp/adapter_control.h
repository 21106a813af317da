// AdapterControl: the adapters of the running model, as those who manage them see them. The daemon's is the registry
// over the model it loaded; tests bring a fake. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/registry/registry.h"
#include "lsp/json_rpc.h"
#include "model/base/expected.h"

namespace weft::lsp {

// What is in an adapter's folder.
struct AdapterReport {
  adapters::AdapterInfo info;
  std::string directory;
  std::size_t modules = 0;       // linears that it changes
  std::uint64_t parameters = 0;  // its own
};
[[nodiscard]] AdapterReport report_of(const adapters::AdapterFiles& files, std::string directory);
[[nodiscard]] Json to_json(const AdapterReport& report);
[[nodiscard]] Json to_json(const adapters::InstalledAdapter& adapter);

class AdapterControl {
 public:
  template <class T>
  using Done = std::function<void(Expected<T>)>;  // exactly once, on any thread, perhaps before the call returns

  virtual ~AdapterControl() = default;
  // The I/O thread asks these two: they do not wait.
  [[nodiscard]] virtual std::vector<adapters::InstalledAdapter> list() const = 0;
  virtual Expected<void> remove(const std::string& name) = 0;
  // Files are read on a thread of their own.
  virtual void inspect(std::string directory, Done<AdapterReport> done) = 0;
  virtual void add(std::string directory, Done<adapters::InstalledAdapter> done) = 0;
};

[[nodiscard]] std::shared_ptr<AdapterControl> make_adapter_control(std::shared_ptr<adapters::AdapterRegistry> registry);

}  // namespace weft::lsp
