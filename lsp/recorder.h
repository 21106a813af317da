// Recorder: mirrors a session into a file, one JSON object a line: {"time_ms", "from": "client" | "server", "body"}.
// The body is a string, so that what is not JSON is recorded as it came. I/O thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "model/base/clock.h"
#include "model/base/expected.h"

namespace weft::lsp {

enum class Sender { kClient, kServer };

class Recorder {
 public:
  // Begins the file anew, readable by its owner alone. Error: it cannot be created, or is something else than a file.
  static Expected<std::unique_ptr<Recorder>> open(const std::string& path, std::shared_ptr<const Clock> clock);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // A write that fails is logged, and ends the recording.
  void record(Sender sender, std::string_view body);

 private:
  Recorder(int file, std::string path, std::shared_ptr<const Clock> clock);

  int file_;
  std::string path_;
  std::shared_ptr<const Clock> clock_;
  TimePoint begin_;
};

}  // namespace weft::lsp
