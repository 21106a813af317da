// Any body: it is read as one kind of message, what is written is JSON again, and a request survives the round trip.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "lsp/json_rpc.h"
#include "lsp/protocol.h"
#include "model/base/check.h"

namespace {

using weft::lsp::Json;

void check_encoded(const std::string& body) { WEFT_CHECK(!Json::parse(body, nullptr, false).is_discarded()); }

void read_everything(const Json& params) {
  (void)weft::lsp::read_client_capabilities(params).has_value();
  (void)weft::lsp::read_did_open(params).has_value();
  (void)weft::lsp::read_did_change(params).has_value();
  (void)weft::lsp::read_inline_completion(params).has_value();
  (void)weft::lsp::read_cancel_id(params).has_value();
  (void)weft::lsp::read_client_options(params).has_value();
  (void)weft::lsp::read_code_action(params).has_value();
  (void)weft::lsp::read_execute_command(params).has_value();
  (void)weft::lsp::read_progress_token(params, "token").is_null();
  // What weft sends out comes back as it was.
  const Json data = params.is_object() ? params.value("data", Json()) : Json();
  if (const auto action = weft::lsp::read_action_data(data)) {
    const auto again = weft::lsp::read_action_data(weft::lsp::to_json(*action));
    WEFT_CHECK(again.has_value() && again->uri == action->uri && again->position == action->position);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const weft::lsp::Message message = weft::lsp::parse_message(body);
  if (const auto* request = std::get_if<weft::lsp::Request>(&message)) {
    WEFT_CHECK(request->id.is_number_integer() || request->id.is_string());
    check_encoded(weft::lsp::encode_result(request->id, request->method));
    // A request that is written and read again is the same.
    const auto again =
        weft::lsp::parse_message(weft::lsp::encode_request(request->id, request->method, request->params));
    const auto* same = std::get_if<weft::lsp::Request>(&again);
    WEFT_CHECK(same != nullptr && same->id == request->id && same->method == request->method);
    WEFT_CHECK(same->params.dump() == request->params.dump());
    read_everything(request->params);
  } else if (const auto* notification = std::get_if<weft::lsp::Notification>(&message)) {
    read_everything(notification->params);
  } else if (const auto* malformed = std::get_if<weft::lsp::Malformed>(&message)) {
    check_encoded(weft::lsp::encode_error(malformed->id, malformed->error));
  }
  return 0;
}
