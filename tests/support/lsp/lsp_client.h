// LspClient: a client and a Server in one process, joined in memory. What the server sends is sorted into answers,
// notifications and requests of its own. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/server.h"
#include "tests/support/lsp/test_loop.h"

namespace weft::test {

using lsp::Json;

class LspClient {
 public:
  explicit LspClient(lsp::ModelLoader loader,
                     lsp::ServerOptions options = {.version = "0.0.0-test", .pending = {}, .diagnostics = {}});

  // Sends the request and returns its id; the answer comes later.
  int request(std::string_view method, const Json& params);
  void notify(std::string_view method, const Json& params);
  void send_body(std::string_view body) { server_.receive(body); }

  // Runs the loop until the answer is there, and returns the whole message, with "result" or "error".
  Json wait_for(int id);
  Json ask(std::string_view method, const Json& params) { return wait_for(request(method, params)); }
  [[nodiscard]] std::size_t answers_to(const Json& id) const;
  // The only answer to `id`, already there.
  [[nodiscard]] Json answer(const Json& id) const;

  // initialize and initialized.
  Json open_session(const Json& capabilities = Json::object());
  // didOpen with version 1.
  void open(const std::string& uri, const std::string& text);
  // An insertion at a place.
  void insert(const std::string& uri, int version, int line, int character, const std::string& text);
  int request_inline(const std::string& uri, int line, int character);
  // Loads the model, which `loader` gives at once.
  void wait_for_model();

  [[nodiscard]] lsp::Server& server() { return server_; }
  [[nodiscard]] TestLoop& loop() { return loop_; }
  [[nodiscard]] const std::vector<Json>& notifications() const { return notifications_; }
  [[nodiscard]] std::vector<Json> notifications(std::string_view method) const;
  [[nodiscard]] const std::vector<Json>& server_requests() const { return server_requests_; }
  [[nodiscard]] const std::vector<Json>& received() const { return received_; }

 private:
  void receive(const std::string& body);

  TestLoop loop_;
  std::vector<Json> received_, answers_, notifications_, server_requests_;
  int next_id_ = 1;
  lsp::Server server_;
};

// Gives `backend` at once, as a model that says it is a fake.
[[nodiscard]] lsp::ModelLoader loader_of(std::shared_ptr<lsp::CompletionBackend> backend);

}  // namespace weft::test
