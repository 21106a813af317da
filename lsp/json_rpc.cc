#include "lsp/json_rpc.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace weft::lsp {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";

bool nests_too_deeply(std::string_view body) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxNesting) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

// The code unit of the \uXXXX at `at`, if there is one.
std::optional<unsigned> escaped_unit(std::string_view body, std::size_t at) {
  if (at + 6 > body.size() || body[at] != '\\' || body[at + 1] != 'u') return std::nullopt;
  const std::string_view digits = body.substr(at + 2, 4);
  if (digits.find_first_not_of(kHexDigits) != std::string_view::npos) return std::nullopt;
  return static_cast<unsigned>(std::stoul(std::string(digits), nullptr, 16));
}

// Editors whose strings are UTF-16 may send half a surrogate pair as an escape, which no UTF-8 can hold. It becomes
// U+FFFD: one UTF-16 unit as before, so that positions stay right.
std::string mend_lone_surrogates(std::string_view body) {
  std::string out;
  out.reserve(body.size());
  for (std::size_t i = 0; i < body.size();) {
    if (body[i] != '\\') {
      out += body[i++];
      continue;
    }
    const auto unit = escaped_unit(body, i);
    if (!unit) {
      out += body.substr(i, 2);
      i += 2;
      continue;
    }
    const bool high = *unit >= 0xD800 && *unit < 0xDC00;
    const bool low = *unit >= 0xDC00 && *unit < 0xE000;
    const auto second = high ? escaped_unit(body, i + 6) : std::nullopt;
    const bool pair = second && *second >= 0xDC00 && *second < 0xE000;
    const std::size_t length = pair ? 12 : 6;
    out += (high && !pair) || low ? std::string_view("\\ufffd") : body.substr(i, length);
    i += length;
  }
  return out;
}

Json parse_json(std::string_view body) {
  Json parsed = Json::parse(body, nullptr, false);
  if (!parsed.is_discarded() || body.find("\\u") == std::string_view::npos) return parsed;
  return Json::parse(mend_lone_surrogates(body), nullptr, false);
}

bool is_id(const Json& id) { return id.is_number_integer() || id.is_string(); }

Malformed malformed(Json id, ErrorCode code, std::string message) {
  return {std::move(id), {code, std::move(message)}};
}

Message read_response(Json& message, Json id) {
  const bool failed = message.contains("error");
  if (failed == message.contains("result")) {
    // Not answered: nobody waits for the answer to an answer.
    return malformed(nullptr, ErrorCode::kInvalidRequest, "a message needs a method, a result or an error");
  }
  if (failed) return Response{std::move(id), nullptr, std::move(message["error"])};
  return Response{std::move(id), std::move(message["result"]), nullptr};
}

std::string dump(const Json& message) { return message.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

Message parse_message(std::string_view body) {
  if (nests_too_deeply(body)) {
    return malformed(nullptr, ErrorCode::kParseError, fmt::format("message nests deeper than {}", kMaxNesting));
  }
  Json message = parse_json(body);
  if (message.is_discarded()) {
    return malformed(nullptr, ErrorCode::kParseError, fmt::format("message of {} bytes is not JSON", body.size()));
  }
  if (message.is_array()) return malformed(nullptr, ErrorCode::kInvalidRequest, "batches are not part of LSP");
  if (!message.is_object()) return malformed(nullptr, ErrorCode::kInvalidRequest, "message is not an object");
  const bool has_id = message.contains("id");
  Json id = has_id ? std::move(message["id"]) : Json(nullptr);
  const bool good_id = is_id(id);
  if (!message.contains("method")) return read_response(message, std::move(id));
  if (has_id && !good_id) {
    return malformed(nullptr, ErrorCode::kInvalidRequest, "id is neither an integer nor a string");
  }
  const auto version = message.find("jsonrpc");
  if (version == message.end() || *version != "2.0") {
    return malformed(std::move(id), ErrorCode::kInvalidRequest, "jsonrpc is not \"2.0\"");
  }
  if (!message["method"].is_string()) {
    return malformed(std::move(id), ErrorCode::kInvalidRequest, "method is not a string");
  }
  Json params = message.contains("params") ? std::move(message["params"]) : Json(nullptr);
  if (!params.is_structured() && !params.is_null()) {
    return malformed(std::move(id), ErrorCode::kInvalidRequest, "params is neither an object nor an array");
  }
  std::string method = message["method"].get<std::string>();
  if (has_id) return Request{std::move(id), std::move(method), std::move(params)};
  return Notification{std::move(method), std::move(params)};
}

std::string encode_request(const Json& id, std::string_view method, const Json& params) {
  return dump({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}});
}

std::string encode_notification(std::string_view method, const Json& params) {
  return dump({{"jsonrpc", "2.0"}, {"method", method}, {"params", params}});
}

std::string encode_result(const Json& id, const Json& result) {
  return dump({{"jsonrpc", "2.0"}, {"id", id}, {"result", result}});
}

std::string encode_error(const Json& id, const RpcError& error) {
  return dump({{"jsonrpc", "2.0"},
               {"id", id},
               {"error", {{"code", static_cast<int>(error.code)}, {"message", error.message}}}});
}

}  // namespace weft::lsp
