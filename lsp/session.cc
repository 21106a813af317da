#include "lsp/session.h"

#include <csignal>
#include <optional>
#include <utility>

#include <boost/asio/signal_set.hpp>

#include "lsp/asio_loop.h"
#include "model/base/log.h"

namespace weft::lsp {
namespace {

class Session {
 public:
  Session(ModelLoader loader, SessionOptions options)
      : signals_(loop_.context(), SIGTERM, SIGINT),
        client_(loop_, std::move(loader), std::move(options.client), [this](int exit_code) { end(exit_code); }) {
    signals_.async_wait([this](const boost::system::error_code& code, int signal) {
      if (code) return;
      spdlog::info("ends at signal {}", signal);
      end(0);
    });
    if (options.attach) attached_ = options.attach(loop_, client_.server().model());
  }

  SessionEnd run() {
    client_.start();
    loop_.run();
    attached_.reset();
    client_.close();
    return {exit_code_.value_or(1), client_.server().model().state() == ModelState::kLoading};
  }

 private:
  void end(int exit_code) {
    if (!exit_code_) exit_code_ = exit_code;
    loop_.stop();
  }

  std::optional<int> exit_code_;
  AsioLoop loop_;
  boost::asio::signal_set signals_;
  ClientSession client_;
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
