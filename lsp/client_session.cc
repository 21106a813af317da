#include "lsp/client_session.h"

#include <utility>

namespace weft::lsp {

ClientSession::ClientSession(Loop& loop, ModelLoader loader, ClientSessionOptions options,
                             std::function<void(int)> on_end)
    : frames_(options.frames),
      recorder_(std::move(options.recorder)),
      on_end_(std::move(on_end)),
      server_(
          loop, [this](std::string body) { send(body); }, std::move(loader), std::move(options.server)) {
  transport_.emplace(loop, options.input, options.output,
                     StdioTransport::Handlers{.on_bytes = [this](std::string_view bytes) { receive(bytes); },
                                              .on_end = [this] { end(server_.exit_code_at_end()); },
                                              .on_lost = [this] { end(server_.exit_code_at_end()); }},
                     options.transport);
}

void ClientSession::close() {
  ended_ = true;
  transport_->close();
}

void ClientSession::receive(std::string_view bytes) {
  frames_.feed(bytes);
  while (auto frame = frames_.next()) {
    if (ended_) return;
    if (!*frame) {
      server_.receive_bad_frame(frame->error());
      continue;
    }
    if (recorder_) recorder_->record(Sender::kClient, **frame);
    server_.receive(**frame);
    if (const auto code = server_.exit_code()) end(*code);
  }
}

void ClientSession::send(const std::string& body) {
  if (ended_) return;
  if (recorder_) recorder_->record(Sender::kServer, body);
  if (transport_) transport_->send(encode_frame(body));
}

void ClientSession::end(int exit_code) {
  if (std::exchange(ended_, true)) return;
  on_end_(exit_code);
}

}  // namespace weft::lsp
