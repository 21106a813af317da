// Reply: the one answer that a request must get. Move-only; answering uses it up, and a Reply that is destroyed unused
// answers an internal error, so that no path can forget the client. I/O thread only.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "lsp/json_rpc.h"

namespace weft::lsp {

class Reply {
 public:
  // `send` gets one body.
  using Send = std::function<void(std::string body)>;

  Reply(Json id, Send send) : id_(std::move(id)), send_(std::move(send)) {}
  Reply(Reply&& other) noexcept : id_(std::move(other.id_)), send_(std::exchange(other.send_, nullptr)) {}
  Reply& operator=(Reply&&) = delete;
  Reply(const Reply&) = delete;
  ~Reply() {
    if (send_) finish(encode_error(id_, {ErrorCode::kInternalError, "the request was dropped by a fault of weft"}));
  }

  [[nodiscard]] const Json& id() const { return id_; }
  void result(const Json& value) && { finish(encode_result(id_, value)); }
  void error(ErrorCode code, std::string message) && { finish(encode_error(id_, {code, std::move(message)})); }

 private:
  void finish(std::string body) { std::exchange(send_, nullptr)(std::move(body)); }

  Json id_;
  Send send_;
};

}  // namespace weft::lsp
