// JSON-RPC 2.0 as LSP uses it: bodies to messages and back. Pure. Batches are not part of LSP and are refused.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json.hpp>

namespace weft::lsp {

using Json = nlohmann::json;

enum class ErrorCode : int {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternalError = -32603,
  kServerNotInitialized = -32002,
  kRequestCancelled = -32800,
  kContentModified = -32801,
  kRequestFailed = -32803,
};

struct RpcError {
  ErrorCode code = ErrorCode::kInternalError;
  std::string message;
};

struct Request {
  Json id;  // an integer or a string
  std::string method;
  Json params;  // an object, an array or null
};

struct Notification {
  std::string method;
  Json params;
};

struct Response {
  Json id;  // also null: the other side could not read ours
  Json result;
  Json error;  // null when it succeeded
};

// What cannot be handled; `id` is null where the message did not give a usable one.
struct Malformed {
  Json id;
  RpcError error;
};

using Message = std::variant<Request, Notification, Response, Malformed>;

// Nesting deeper than this is refused before it is parsed.
inline constexpr int kMaxNesting = 128;

[[nodiscard]] Message parse_message(std::string_view body);

// Bodies. Text that is not UTF-8 is mended with U+FFFD rather than refused.
[[nodiscard]] std::string encode_request(const Json& id, std::string_view method, const Json& params);
[[nodiscard]] std::string encode_notification(std::string_view method, const Json& params);
[[nodiscard]] std::string encode_result(const Json& id, const Json& result);
[[nodiscard]] std::string encode_error(const Json& id, const RpcError& error);

}  // namespace weft::lsp
