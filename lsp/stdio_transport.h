// StdioTransport: bytes between two file descriptors and the loop. Reading and writing block on two threads of their
// own, because stdin and stdout may be files, pipes or terminals that somebody else shares, and making those
// non-blocking would reach beyond this process. Handlers run on the I/O thread.
//
// The reader waits until a chunk has been handled before it reads the next one, so a client that sends faster than weft
// reads is held back. A client that does not read its answers is given up when too many bytes wait for it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "lsp/loop.h"

namespace weft::lsp {

struct TransportOptions {
  std::size_t unsent_limit_bytes = std::size_t{256} << 20;
  std::chrono::milliseconds flush_limit{2000};  // how long `close` waits for a client that does not read
};

class StdioTransport {
 public:
  struct Handlers {
    std::function<void(std::string_view bytes)> on_bytes;
    std::function<void()> on_end;   // the input's end, once
    std::function<void()> on_lost;  // the output cannot be written any more, once
  };

  // The descriptors stay the caller's.
  StdioTransport(Loop& loop, int input, int output, Handlers handlers, TransportOptions options = {});
  ~StdioTransport() { close(); }
  StdioTransport(const StdioTransport&) = delete;
  StdioTransport& operator=(const StdioTransport&) = delete;

  // I/O thread only. Never blocks.
  void send(std::string bytes);
  // Writes what is unsent, then ends both threads. No handler is called afterwards.
  void close();

 private:
  struct State;

  void read_loop();
  void write_loop();
  bool hand_over(std::string chunk);
  bool write_all(std::string_view bytes);

  Loop& loop_;
  const int input_, output_;
  const TransportOptions options_;
  std::shared_ptr<State> state_;  // shared with tasks in the loop, which may outlive the transport
  int wake_[2] = {-1, -1};        // a pipe that ends the reader's and the writer's waiting
  std::thread reader_, writer_;
};

}  // namespace weft::lsp
