#include "lsp/daemon/check.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "lsp/asio_loop.h"
#include "lsp/location.h"
#include "lsp/model_loader.h"
#include "lsp/server.h"
#include "lsp/uri.h"
#include "model/base/clock.h"

namespace weft::lsp {
namespace {

using generation::CompletionResult;

constexpr int kFailed = 1, kWrongUsage = 2;
constexpr std::chrono::minutes kPatience{10};  // large models load for long

void print_stage(const char* stage, double ms, const std::string& what) {
  fmt::print("{:<11}{:>8.1f} ms  {}\n", stage, ms, what);
}

// The client's side of the session. Answers come while `ask` turns the loop.
class CheckClient {
 public:
  explicit CheckClient(const DaemonOptions& options)
      : server_(
            loop_, [this](const std::string& body) { receive(body); }, make_model_loader(options.loader),
            server_options()) {
    server_.start();
  }

  Json ask(const char* method, const Json& params) {
    server_.receive(encode_request(++last_id_, method, params));
    while (!answer_) loop_.run_one();
    return *std::exchange(answer_, std::nullopt);
  }
  void notify(const char* method, const Json& params) { server_.receive(encode_notification(method, params)); }
  void wait_for_model() {
    while (server_.model().state() == ModelState::kLoading) loop_.run_one();
  }

  [[nodiscard]] const ModelHost& model() const { return server_.model(); }
  [[nodiscard]] const CompletionResult& result() const { return result_; }

 private:
  ServerOptions server_options() {
    ServerOptions options;
    options.version = WEFT_VERSION;
    options.pending.answer_limit = kPatience;
    options.pending.on_result = [this](const Json&, const CompletionResult& result) { result_ = result; };
    return options;
  }

  void receive(const std::string& body) {
    Json message = Json::parse(body);
    if (message.contains("method") || message.at("id") != last_id_) return;
    answer_ = std::move(message);
  }

  AsioLoop loop_;
  int last_id_ = 0;
  std::optional<Json> answer_;
  CompletionResult result_;
  Server server_;
};

std::string model_line(const model::RunnerInfo& info) {
  return fmt::format("{}, {:.1f}M parameters, {} on {}", info.name, static_cast<double>(info.parameters) / 1e6,
                     info.dtype, info.device);
}

Json inline_params(const std::string& uri, std::string_view text, std::size_t offset) {
  return {{"textDocument", {{"uri", uri}}},
          {"position", to_json(position_of(text, offset, PositionEncoding::kUtf8))},
          {"context", {{"triggerKind", static_cast<int>(InlineTrigger::kAutomatic)}}}};
}

void print_offers(const Json& items, std::string_view text, std::size_t offset) {
  const std::string_view line = text.substr(line_begin(text, offset), offset - line_begin(text, offset));
  for (const Json& item : items) {
    const Position start = {item["range"]["start"]["line"].get<std::uint32_t>(),
                            item["range"]["start"]["character"].get<std::uint32_t>()};
    const std::size_t begin = std::min(offset_of(text, start, PositionEncoding::kUtf8), offset);
    const std::string_view kept = line.substr(0, line.size() - (offset - begin));
    fmt::print("\n{}\u2038{}\n", kept, item["insertText"].get<std::string>());
  }
}

void print_timings(const CompletionResult& result) {
  const generation::CompletionTimings& t = result.timings;
  print_stage("prompt", t.prompt_ms, fmt::format("{} tokens", t.prompt_tokens));
  print_stage("queue", t.queue_ms, "");
  print_stage("prefill", t.prefill_ms, fmt::format("{} tokens", t.prefilled_tokens));
  print_stage("decode", t.decode_ms, fmt::format("{} tokens", t.generated_tokens));
  print_stage("filter", t.filter_ms, result.reason);
}

int fail(int exit_code, const Error& error) {
  fmt::print(stderr, "weftd check: {}\n", error.message);
  return exit_code;
}

}  // namespace

int check(const DaemonOptions& options) {
  const auto location = parse_location(options.check);
  if (!location) return fail(kWrongUsage, location.error());
  const auto located = read_location(*location);
  if (!located) return fail(kFailed, located.error());
  const SteadyClock clock;
  TimePoint begin = clock.now();
  const auto lap = [&] { return milliseconds_between(std::exchange(begin, clock.now()), clock.now()); };

  CheckClient client(options);
  client.ask("initialize", {{"processId", nullptr},
                            {"rootUri", nullptr},
                            {"capabilities", {{"general", {{"positionEncodings", {"utf-8"}}}}}}});
  client.notify("initialized", Json::object());
  print_stage("initialize", lap(), "weftd " WEFT_VERSION);
  client.wait_for_model();
  if (client.model().state() == ModelState::kFailed) return fail(kFailed, {client.model().error()});
  print_stage("model", lap(), model_line(client.model().info()));
  const std::string path = std::filesystem::absolute(location->path).lexically_normal().string();
  const std::string uri = uri_of_path(path);
  client.notify("textDocument/didOpen",
                {{"textDocument", {{"uri", uri}, {"languageId", ""}, {"version", 1}, {"text", *located->text}}}});
  print_stage("open", lap(), fmt::format("{}, {} bytes", path, located->text->size()));
  const Json answer = client.ask("textDocument/inlineCompletion", inline_params(uri, *located->text, located->offset));
  const double waited = lap();
  if (!answer.contains("result")) return fail(kFailed, {answer["error"]["message"].get<std::string>()});
  const Json items = answer["result"].is_object() ? answer["result"]["items"] : Json::array();
  print_timings(client.result());
  print_stage("answer", waited, fmt::format("{} offered", items.size()));
  print_offers(items, *located->text, located->offset);
  client.ask("shutdown", nullptr);
  return 0;
}

}  // namespace weft::lsp
