#include "lsp/session.h"

#include <csignal>
#include <optional>
#include <utility>

#include <boost/asio/signal_set.hpp>

#include "lsp/asio_loop.h"
#include "model/base/log.h"

namespace weft::lsp {
namespace {

// The parts in the order in which they may go: the transport first, since it calls the server.
class Session {
 public:
  Session(ModelLoader loader, SessionOptions options)
      : frames_(options.frames),
        recorder_(std::move(options.recorder)),
        signals_(loop_.context(), SIGTERM, SIGINT),
        server_(
            loop_, [this](std::string body) { send(std::move(body)); }, std::move(loader), std::move(options.server)) {
    signals_.async_wait([this](const boost::system::error_code& code, int signal) {
      if (code) return;
      spdlog::info("ends at signal {}", signal);
      end(0);
    });
    transport_.emplace(loop_, options.input, options.output,
                       StdioTransport::Handlers{.on_bytes = [this](std::string_view bytes) { receive(bytes); },
                                                .on_end = [this] { end(server_.exit_code_at_end()); },
                                                .on_lost = [this] { end(server_.exit_code_at_end()); }},
                       options.transport);
    if (options.attach) attached_ = options.attach(loop_, server_.model());
  }

  SessionEnd run() {
    server_.start();
    loop_.run();
    attached_.reset();
    transport_->close();
    return {exit_code_.value_or(1), server_.model().state() == ModelState::kLoading};
  }

 private:
  void receive(std::string_view bytes) {
    frames_.feed(bytes);
    while (auto frame = frames_.next()) {
      if (exit_code_) return;
      if (!*frame) {
        server_.receive_bad_frame(frame->error());
        continue;
      }
      if (recorder_) recorder_->record(Sender::kClient, **frame);
      server_.receive(**frame);
      if (const auto code = server_.exit_code()) end(*code);
    }
  }

  void send(std::string body) {
    if (exit_code_) return;
    if (recorder_) recorder_->record(Sender::kServer, body);
    if (transport_) transport_->send(encode_frame(body));
  }

  void end(int exit_code) {
    if (!exit_code_) exit_code_ = exit_code;
    loop_.stop();
  }

  FrameDecoder frames_;
  std::unique_ptr<Recorder> recorder_;
  std::optional<int> exit_code_;
  AsioLoop loop_;
  boost::asio::signal_set signals_;
  Server server_;
  std::optional<StdioTransport> transport_;
  std::shared_ptr<void> attached_;
};

}  // namespace

int run_session(ModelLoader loader, SessionOptions options, const std::function<void(const SessionEnd&)>& on_end) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that is gone is an error of write
  Session session(std::move(loader), std::move(options));
  const SessionEnd end = session.run();
  on_end(end);
  return end.exit_code;
}

}  // namespace weft::lsp
