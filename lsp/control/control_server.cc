// Asio's callbacks hold the connection or the acceptor's owner weakly or by count, and do nothing once it is closed:
// the loop may run them after the server is gone.
#include "lsp/control/control_server.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <set>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "lsp/control/socket_folder.h"
#include "model/base/log.h"

namespace weft::lsp {
namespace {

using boost::asio::local::stream_protocol;
using SystemError = boost::system::error_code;

constexpr std::size_t kChunkBytes = std::size_t{16} << 10;
constexpr std::chrono::milliseconds kAcceptPause{1000};  // after an error such as too many open files

// A child that outlives the daemon must not keep its sockets open.
void close_in_children(int fd) { fcntl(fd, F_SETFD, FD_CLOEXEC); }

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using OnClose = std::function<void(const std::shared_ptr<Connection>&)>;

  Connection(stream_protocol::socket socket, AsioLoop& loop, const ModelHost& model, const ControlOptions& options,
             OnClose on_close)
      : socket_(std::move(socket)),
        idle_(loop.context()),
        options_(options),
        on_close_(std::move(on_close)),
        session_(loop, model, options.identity, options.frames, [this](std::string bytes) { send(std::move(bytes)); }) {
  }

  void start() {
    wait_idle();
    read();
  }

  // The session's last answers, for requests that are still open, go nowhere.
  void close() {
    if (closed_) return;
    closed_ = true;
    idle_.cancel();
    SystemError ignored;
    socket_.close(ignored);
    if (on_close_) std::exchange(on_close_, nullptr)(shared_from_this());
  }
  void forget_owner() { on_close_ = nullptr; }

 private:
  void read() {
    socket_.async_read_some(boost::asio::buffer(chunk_),
                            [self = shared_from_this()](const SystemError& code, std::size_t count) {
                              if (self->closed_) return;
                              if (code) return self->close();
                              self->wait_idle();
                              self->session_.receive({self->chunk_.data(), count});
                              if (self->closed_) return;
                              if (!self->session_.over()) return self->read();
                              self->close_when_done();
                            });
  }

  void send(std::string bytes) {
    if (closed_) return;
    unsent_bytes_ += bytes.size();
    if (unsent_bytes_ > options_.unsent_limit_bytes) {
      spdlog::warn("a control client does not read its answers: {} bytes wait for it", unsent_bytes_);
      return close();
    }
    unsent_.push_back(std::move(bytes));
    if (unsent_.size() == 1) write();
  }

  void write() {
    boost::asio::async_write(socket_, boost::asio::buffer(unsent_.front()),
                             [self = shared_from_this()](const SystemError& code, std::size_t) {
                               if (self->closed_) return;
                               if (code) return self->close();
                               self->unsent_bytes_ -= self->unsent_.front().size();
                               self->unsent_.pop_front();
                               if (!self->unsent_.empty()) return self->write();
                               if (self->session_.over()) self->close_when_done();
                             });
  }

  void close_when_done() {
    if (unsent_.empty() && session_.open_requests() == 0) close();
  }

  void wait_idle() {
    idle_.expires_after(options_.idle_limit);
    idle_.async_wait([self = weak_from_this()](const SystemError& code) {
      const auto connection = self.lock();
      if (code || !connection || connection->closed_) return;
      if (connection->session_.open_requests() > 0) return connection->wait_idle();
      connection->close();
    });
  }

  stream_protocol::socket socket_;
  boost::asio::steady_timer idle_;
  const ControlOptions& options_;
  OnClose on_close_;
  bool closed_ = false;
  std::array<char, kChunkBytes> chunk_{};
  std::deque<std::string> unsent_;  // the first is being written
  std::size_t unsent_bytes_ = 0;
  ControlSession session_;  // last: its destructor may send
};

}  // namespace

class ControlServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(AsioLoop& loop, const ModelHost& model, ControlOptions options)
      : loop_(loop),
        model_(model),
        options_(std::move(options)),
        path_(socket_path(options_.folder, options_.identity.pid)),
        acceptor_(loop.context()),
        pause_(loop.context()) {}

  Expected<void> listen() {
    remove_stale_sockets(options_.folder);
    ::unlink(path_.c_str());  // of an earlier process with this one's number
    try {
      acceptor_.open();
      close_in_children(acceptor_.native_handle());
      acceptor_.bind(stream_protocol::endpoint(path_));
      bound_ = true;
      if (chmod(path_.c_str(), S_IRUSR | S_IWUSR) != 0) return make_error("cannot make {} the owner's own", path_);
      acceptor_.listen();
    } catch (const boost::system::system_error& error) {
      return make_error("cannot listen at {}: {}", path_, error.code().message());
    }
    accept();
    return {};
  }

  void close() {
    closed_ = true;
    SystemError ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    for (const auto& client : clients_) {
      client->forget_owner();
      client->close();
    }
    clients_.clear();
    if (bound_) ::unlink(path_.c_str());
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::size_t clients() const { return clients_.size(); }

 private:
  void accept() {
    acceptor_.async_accept([self = shared_from_this()](const SystemError& code, stream_protocol::socket socket) {
      if (self->closed_) return;
      if (!code) {
        self->admit(std::move(socket));
        return self->accept();
      }
      spdlog::warn("the control channel cannot accept: {}", code.message());
      self->pause_.expires_after(kAcceptPause);
      self->pause_.async_wait([self](const SystemError& cancelled) {
        if (!cancelled && !self->closed_) self->accept();
      });
    });
  }

  void admit(stream_protocol::socket socket) {
    close_in_children(socket.native_handle());
    const auto peer = peer_of(socket.native_handle());
    if (!peer || *peer != geteuid()) {
      spdlog::warn("the control channel turned away {}", peer ? fmt::format("user {}", *peer) : peer.error().message);
      return;
    }
    if (clients_.size() >= options_.most_clients) {
      spdlog::warn("the control channel has {} clients: one more is turned away", clients_.size());
      return;
    }
    auto connection =
        std::make_shared<Connection>(std::move(socket), loop_, model_, options_,
                                     [this](const std::shared_ptr<Connection>& closed) { clients_.erase(closed); });
    clients_.insert(connection);
    connection->start();
  }

  AsioLoop& loop_;
  const ModelHost& model_;
  const ControlOptions options_;
  const std::string path_;
  stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::set<std::shared_ptr<Connection>> clients_;
  bool bound_ = false, closed_ = false;
};

Expected<std::unique_ptr<ControlServer>> ControlServer::listen(AsioLoop& loop, const ModelHost& model,
                                                               ControlOptions options) {
  auto impl = std::make_shared<Impl>(loop, model, std::move(options));
  std::unique_ptr<ControlServer> server(new ControlServer(impl));
  if (const auto listening = impl->listen(); !listening) return listening.error();
  return server;
}

ControlServer::~ControlServer() { impl_->close(); }

const std::string& ControlServer::path() const { return impl_->path(); }
std::size_t ControlServer::clients() const { return impl_->clients(); }

}  // namespace weft::lsp
