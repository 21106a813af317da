// FakeAdapters: a fake for tests, no engine behind it. It keeps a list; what reads files is held until the test answers
// it. One thread.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "lsp/adapter_control.h"

namespace weft::test {

class FakeAdapters final : public lsp::AdapterControl {
 public:
  [[nodiscard]] std::vector<adapters::InstalledAdapter> list() const override { return installed; }

  Expected<void> remove(const std::string& name) override {
    const auto removed = std::erase_if(installed, [&](const auto& each) { return each.info.name == name; });
    if (removed == 0) return make_error("no adapter '{}'", name);
    return {};
  }

  void inspect(std::string directory, Done<lsp::AdapterReport> done) override {
    held.push_back([directory, done = std::move(done)](std::string error) {
      if (!error.empty()) return done(Error{std::move(error)});
      done(lsp::AdapterReport{bugs(), directory, 3, 30});
    });
  }

  void add(std::string directory, Done<adapters::InstalledAdapter> done) override {
    held.push_back([this, directory, done = std::move(done)](std::string error) {
      if (!error.empty()) return done(Error{std::move(error)});
      installed.push_back({AdapterId(1), bugs(), directory});
      done(installed.back());
    });
  }

  // The oldest that is held; an empty error lets it succeed.
  void answer(std::string error = {}) {
    const auto next = std::move(held.front());
    held.pop_front();
    next(std::move(error));
  }

  // What it takes every folder for.
  static adapters::AdapterInfo bugs() {
    adapters::AdapterInfo info;
    info.name = "bugs";
    info.task = "bug-detection";
    return info;
  }

  std::vector<adapters::InstalledAdapter> installed;
  std::deque<std::function<void(std::string error)>> held;
};

}  // namespace weft::test
