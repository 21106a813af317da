#include "lsp/server.h"

#include <algorithm>
#include <array>
#include <utility>

#include "generation/syntax/language.h"
#include "lsp/inline_completion.h"
#include "lsp/popup_completion.h"
#include "lsp/uri.h"
#include "model/base/log.h"

namespace weft::lsp {
namespace {

constexpr int kMessageError = 1, kMessageWarning = 2;  // MessageType
constexpr std::size_t kMaxOthers = 16;                 // other documents that a prompt may take from
constexpr int kSyncIncremental = 2;                    // TextDocumentSyncKind

// The first of the client's encodings that weft knows; bytes are what weft works with, so they win where they are
// offered at all.
PositionEncoding choose_encoding(const std::vector<std::string>& offered) {
  constexpr std::array kPreferred = {PositionEncoding::kUtf8, PositionEncoding::kUtf16, PositionEncoding::kUtf32};
  for (const PositionEncoding encoding : kPreferred) {
    if (std::find(offered.begin(), offered.end(), name_of(encoding)) != offered.end()) return encoding;
  }
  return PositionEncoding::kUtf16;
}

Json capabilities(PositionEncoding encoding) {
  return {{"positionEncoding", name_of(encoding)},
          {"textDocumentSync", {{"openClose", true}, {"change", kSyncIncremental}, {"save", {{"includeText", false}}}}},
          {"inlineCompletionProvider", Json::object()},
          {"completionProvider", {{"triggerCharacters", {".", "("}}, {"resolveProvider", false}}},
          {"codeActionProvider", {{"codeActionKinds", {kQuickFixKind, kRewriteKind}}, {"resolveProvider", true}}},
          {"executeCommandProvider", {{"commands", {kApplyCommand}}}}};
}

void refuse_params(Reply reply, const Error& error) {
  std::move(reply).error(ErrorCode::kInvalidParams, error.message);
}

}  // namespace

Server::Server(Loop& loop, Reply::Send send, ModelLoader loader, ServerOptions options)
    : client_(std::move(send)),
      model_(loop, std::move(loader)),
      pending_(loop, model_,
               [&] {
                 options.pending.on_error = [this](const Error& error) { engine_failed(error); };
                 return std::move(options.pending);
               }()),
      diagnostics_(loop, client_, worker_, model_, documents_,
                   [&] {
                     options.diagnostics.on_error = [this](const Error& error) { engine_failed(error); };
                     return std::move(options.diagnostics);
                   }()),
      action_lists_(loop, worker_, model_, documents_, diagnostics_),
      action_runs_(loop, client_, worker_, model_, documents_),
      adapter_methods_(loop, model_, client_),
      loading_(client_, {.token = "weft/model", .title = "weft: loading the model"}),
      version_(std::move(options.version)) {
  register_lifecycle();
  register_documents();
  register_completions();
  register_actions();
}

void Server::start() {
  loading_.report(0);
  model_.start(
      {.on_progress = [this](int percent) { loading_.report(percent); }, .on_settled = [this] { model_settled(); }});
}

void Server::register_lifecycle() {
  client_.on_initialize([this](const Json& params) { return initialize(params); });
  client_.on_notification("initialized", [this](const Json&) { initialized(); });
  client_.on_shutdown([this] {
    pending_.withdraw_all();
    diagnostics_.stop_all();
    action_lists_.withdraw_all();
    action_runs_.withdraw_all();
  });
  client_.on_notification("$/cancelRequest", [this](const Json& params) {
    const auto id = read_cancel_id(params);
    if (!id) return;
    pending_.cancel(*id);
    action_lists_.cancel(*id);
    action_runs_.cancel(*id);
  });
  client_.on_notification("window/workDoneProgress/cancel", [this](const Json& params) {
    action_runs_.cancel_progress(read_progress_token(params, "token"));
  });
  client_.on_request("weft/status", [this](const Json&, Reply reply) { std::move(reply).result(model_.status()); });
}

void Server::register_documents() {
  client_.on_notification("textDocument/didOpen", [this](const Json& params) {
    auto item = read_did_open(params);
    if (!item) return log_to_client(item.error());
    document_closed(item->uri);  // opening again replaces the text
    const auto opened = documents_.open(std::move(*item));
    if (!opened) log_to_client(opened.error());
  });
  client_.on_notification("textDocument/didChange", [this](const Json& params) {
    const auto change = read_did_change(params);
    if (!change) return log_to_client(change.error());
    const auto changed = documents_.change(*change);
    if (!changed) log_to_client(changed.error());
    pending_.document_changed(change->uri);
    action_runs_.document_changed(change->uri);
    diagnostics_.changed(change->uri);
  });
  client_.on_notification("textDocument/didClose", [this](const Json& params) {
    const auto uri = read_text_document_uri(params);
    if (!uri) return log_to_client(uri.error());
    const auto closed = documents_.close(*uri);
    if (!closed) log_to_client(closed.error());
    document_closed(*uri);
  });
  client_.on_notification("textDocument/didSave", [this](const Json& params) {
    const auto uri = read_text_document_uri(params);
    if (!uri) return log_to_client(uri.error());
    diagnostics_.saved(*uri);  // what is saved is what was synchronised
    file_changed(*uri);
  });
  client_.on_notification("workspace/didChangeWatchedFiles", [this](const Json& params) {
    const auto uris = read_watched_files(params);
    if (!uris) return log_to_client(uris.error());
    for (const std::string& uri : *uris) file_changed(uri);
  });
}

// Before the model is ready nothing of the disk has been read.
void Server::file_changed(const std::string& uri) {
  const auto path = path_of_uri(uri);
  if (path && model_.backend() != nullptr) model_.backend()->file_changed(*path);
}

// Of the languages that weft reads.
void Server::watch_files() {
  Json watchers = Json::array();
  for (const generation::Language& language : generation::languages()) {
    for (const std::string_view extension : language.extensions) {
      watchers.push_back({{"globPattern", fmt::format("**/*{}", extension)}});
    }
  }
  const Json registration = {{"id", "weft-files"},
                             {"method", "workspace/didChangeWatchedFiles"},
                             {"registerOptions", {{"watchers", std::move(watchers)}}}};
  client_.call("client/registerCapability", {{"registrations", Json::array({registration})}}, [](const Response&) {});
}

void Server::document_closed(const std::string& uri) {
  pending_.document_closed(uri);
  action_runs_.document_changed(uri);
  diagnostics_.closed(uri);
}

void Server::register_completions() {
  client_.on_request("textDocument/inlineCompletion", [this](const Json& params, Reply reply) {
    const auto read = read_inline_completion(params);
    if (!read) return refuse_params(std::move(reply), read.error());
    const Document* document = open_document(read->place.uri, reply);
    if (document == nullptr) return;
    auto job = make_inline_job(*document, *read, documents_.encoding());
    if (!job) return refuse_params(std::move(reply), job.error());
    if (!document->problem.empty()) return std::move(reply).result(job->render({}));
    start_completion(std::move(*job), std::move(reply));
  });
  client_.on_request("textDocument/completion", [this](const Json& params, Reply reply) {
    const auto place = read_text_document_position(params);
    if (!place) return refuse_params(std::move(reply), place.error());
    const Document* document = open_document(place->uri, reply);
    if (document == nullptr) return;
    CompletionJob job = make_popup_job(*document, *place, documents_.encoding());
    if (!document->problem.empty()) return std::move(reply).result(job.withdrawn);
    start_completion(std::move(job), std::move(reply));
  });
  client_.on_request("weft/explain", [this](const Json& params, Reply reply) {
    const auto asked = read_explain(params);
    if (!asked) return refuse_params(std::move(reply), asked.error());
    std::move(reply).result(pending_.log().explain(asked->uri, asked->position));
  });
}

void Server::start_completion(CompletionJob job, Reply reply) {
  for (const Document* other : documents_.others(job.uri, kMaxOthers)) {
    job.request.others.push_back({other->path, other->language, other->text, other->last_edit, other->edited_at});
  }
  job.request.root = root_of(job.request.document.path);
  pending_.start(std::move(job), std::move(reply));
}

// The innermost.
std::string Server::root_of(std::string_view path) const {
  std::string_view innermost;
  for (const std::string& root : roots_) {
    const bool holds = path.starts_with(root) && path.substr(root.size()).starts_with('/');
    if (holds && root.size() > innermost.size()) innermost = root;
  }
  return std::string(innermost);
}

void Server::register_actions() {
  client_.on_request("textDocument/codeAction",
                     [this](const Json& params, Reply reply) { action_lists_.list(params, std::move(reply)); });
  client_.on_request("codeAction/resolve",
                     [this](const Json& params, Reply reply) { action_runs_.resolve(params, std::move(reply)); });
  client_.on_request("workspace/executeCommand",
                     [this](const Json& params, Reply reply) { action_runs_.execute(params, std::move(reply)); });
}

const Document* Server::open_document(const std::string& uri, Reply& reply) {
  const Document* document = documents_.find(uri);
  if (document == nullptr) {
    Reply used = std::move(reply);
    std::move(used).error(ErrorCode::kInvalidParams, fmt::format("{} is not open", uri));
  }
  return document;
}

Expected<Json> Server::initialize(const Json& params) {
  const auto client = read_client_capabilities(params);
  if (!client) return client.error();
  const auto chosen = read_client_options(params);
  if (!chosen) return chosen.error();
  client_shows_progress_ = client->work_done_progress;
  client_watches_files_ = client->watches_files;
  action_lists_.set_client(*client);
  action_runs_.set_client(*client);
  diagnostics_.set_enabled(chosen->diagnostics);
  const PositionEncoding encoding = choose_encoding(client->position_encodings);
  documents_.set_encoding(encoding);
  roots_ = read_roots(params);
  return Json{{"capabilities", capabilities(encoding)}, {"serverInfo", {{"name", "weftd"}, {"version", version_}}}};
}

void Server::initialized() {
  if (initialized_) return;
  initialized_ = true;
  if (client_watches_files_) watch_files();
  if (model_.state() == ModelState::kFailed) return tell_model_failure();
  if (model_.state() == ModelState::kReady) tell_warnings();
  if (model_.state() == ModelState::kLoading && client_shows_progress_) loading_.begin();
}

void Server::model_settled() {
  const bool ready = model_.state() == ModelState::kReady;
  loading_.end(ready ? fmt::format("{} is ready", model_.info().name) : "failed");
  if (initialized_) ready ? tell_warnings() : tell_model_failure();
  pending_.model_settled();
  action_runs_.model_settled();
}

void Server::tell_model_failure() {
  client_.notify("window/showMessage",
                 {{"type", kMessageError},
                  {"message", fmt::format("weft cannot complete: {}. Start weftd with --model DIR or set WEFT_MODEL; "
                                          "`weft doctor` says more.",
                                          model_.error())}});
}

void Server::tell_warnings() {
  for (const std::string& warning : model_.warnings()) {
    client_.notify("window/showMessage", {{"type", kMessageWarning}, {"message", "weft: " + warning}});
  }
}

void Server::engine_failed(const Error& error) {
  if (error.message == last_failure_) return;  // the same fault at every key is told once
  last_failure_ = error.message;
  client_.notify("window/logMessage", {{"type", kMessageError}, {"message", "weft: " + error.message}});
}

void Server::log_to_client(const Error& error) {
  spdlog::warn("{}", error.message);
  client_.notify("window/logMessage", {{"type", kMessageWarning}, {"message", "weft: " + error.message}});
}

}  // namespace weft::lsp
