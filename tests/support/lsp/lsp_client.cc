#include "tests/support/lsp/lsp_client.h"

#include <algorithm>
#include <utility>

namespace weft::test {

LspClient::LspClient(lsp::ModelLoader loader, lsp::ServerOptions options)
    : server_(
          loop_, [this](std::string body) { receive(body); }, std::move(loader), std::move(options)) {
  server_.start();
}

void LspClient::receive(const std::string& body) {
  Json message = Json::parse(body);
  received_.push_back(message);
  if (!message.contains("method")) {
    answers_.push_back(std::move(message));
  } else if (message.contains("id")) {
    server_requests_.push_back(std::move(message));
  } else {
    notifications_.push_back(std::move(message));
  }
}

int LspClient::request(std::string_view method, const Json& params) {
  const int id = next_id_++;
  server_.receive(lsp::encode_request(id, method, params));
  return id;
}

void LspClient::notify(std::string_view method, const Json& params) {
  server_.receive(lsp::encode_notification(method, params));
}

std::size_t LspClient::answers_to(const Json& id) const {
  return static_cast<std::size_t>(
      std::count_if(answers_.begin(), answers_.end(), [&](const Json& answer) { return answer.at("id") == id; }));
}

Json LspClient::answer(const Json& id) const {
  if (answers_to(id) != 1) return {{"answers", answers_to(id)}};
  return *std::find_if(answers_.begin(), answers_.end(), [&](const Json& answer) { return answer.at("id") == id; });
}

Json LspClient::wait_for(int id) {
  if (!loop_.run_until([&] { return answers_to(id) > 0; })) return {{"answers", 0}};
  return answer(id);
}

Json LspClient::open_session(const Json& capabilities) {
  const Json answer = ask("initialize", {{"processId", nullptr}, {"rootUri", nullptr}, {"capabilities", capabilities}});
  notify("initialized", Json::object());
  return answer;
}

void LspClient::open(const std::string& uri, const std::string& text) {
  notify("textDocument/didOpen",
         {{"textDocument", {{"uri", uri}, {"languageId", "python"}, {"version", 1}, {"text", text}}}});
}

void LspClient::insert(const std::string& uri, int version, int line, int character, const std::string& text) {
  const Json place = {{"line", line}, {"character", character}};
  const Json change = {{"range", {{"start", place}, {"end", place}}}, {"text", text}};
  notify("textDocument/didChange",
         {{"textDocument", {{"uri", uri}, {"version", version}}}, {"contentChanges", Json::array({change})}});
}

int LspClient::request_inline(const std::string& uri, int line, int character) {
  return request("textDocument/inlineCompletion", {{"textDocument", {{"uri", uri}}},
                                                   {"position", {{"line", line}, {"character", character}}},
                                                   {"context", {{"triggerKind", 2}}}});
}

void LspClient::wait_for_model() {
  (void)loop_.run_until([this] { return server_.model().state() != lsp::ModelState::kLoading; });
}

std::vector<Json> LspClient::notifications(std::string_view method) const {
  std::vector<Json> out;
  std::copy_if(notifications_.begin(), notifications_.end(), std::back_inserter(out),
               [&](const Json& message) { return message.at("method") == method; });
  return out;
}

lsp::ModelLoader loader_of(std::shared_ptr<lsp::CompletionBackend> backend) {
  return [backend](const std::function<void(double)>&) -> Expected<lsp::ReadyModel> {
    model::RunnerInfo info;
    info.name = "fake-backend";
    info.device = "fake";
    info.dtype = "fp32";
    info.parameters = 7;
    return lsp::ReadyModel{backend, info};
  };
}

}  // namespace weft::test
