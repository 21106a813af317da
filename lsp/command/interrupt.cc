#include "lsp/command/interrupt.h"

#include <csignal>

namespace weft::lsp {
namespace {

// Made before a handler is installed; lives as long as the program.
CancelFlag& interrupted() {
  static CancelFlag flag;
  return flag;
}

extern "C" void on_interrupt(int) {
  interrupted().cancel();
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace

CancelFlag cancel_on_interrupt() {
  interrupted();
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  return interrupted();
}

}  // namespace weft::lsp
