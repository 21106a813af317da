#include "lsp/control/control_session.h"

#include <utility>

namespace weft::lsp {

ControlSession::ControlSession(Loop& loop, const ModelHost& model, ControlIdentity identity, FrameLimits limits,
                               std::function<void(std::string bytes)> send)
    : frames_(limits),
      dispatcher_([send = std::move(send)](const std::string& body) { send(encode_frame(body)); }),
      adapters_(loop, model, dispatcher_) {
  dispatcher_.on_initialize([identity](const Json&) {
    return Json{{"serverInfo", {{"name", "weftd"}, {"version", identity.version}}}, {"pid", identity.pid}};
  });
  dispatcher_.on_request("weft/status", [&model, pid = identity.pid](const Json&, Reply reply) {
    Json status = model.status();
    status["pid"] = pid;
    std::move(reply).result(status);
  });
}

void ControlSession::receive(std::string_view bytes) {
  if (over()) return;
  frames_.feed(bytes);
  while (auto frame = frames_.next()) {
    if (*frame) {
      dispatcher_.receive(**frame);
    } else {
      dispatcher_.receive_bad_frame(frame->error());
      broken_ = true;
    }
    if (over()) return;
  }
}

}  // namespace weft::lsp
