// `weft adapters`: what adapters the running daemons of this user have, and changing that. `inspect` needs no daemon.
// Main thread only.
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adapters/lora/peft.h"
#include "lsp/adapter_control.h"
#include "lsp/command/command.h"
#include "lsp/control/control_client.h"
#include "lsp/control/socket_folder.h"
#include "model/model_files.h"

namespace weft::lsp {
namespace {

constexpr std::chrono::milliseconds kPatience{120'000};  // large models load for long, and large adapters too
constexpr std::chrono::milliseconds kLoadingPause{50};

struct Settings {
  std::string subject;  // a folder or a name
  std::string model;    // inspect
  pid_t daemon = 0;     // 0: all
  bool json = false;
};

struct Question {
  const char* method;
  Json params;
};

struct Answer {
  pid_t pid = 0;
  Expected<Json> result;
};

int fail(const Error& error) {
  fmt::print(stderr, "weft adapters: {}\n", error.message);
  return 1;
}

std::string absolute(const std::string& folder) {
  return std::filesystem::absolute(folder).lexically_normal().string();
}

// Whoever has just opened an editor need not know how long its model takes.
Expected<Json> ask_when_loaded(ControlClient& daemon, const Question& question) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto status = daemon.ask("weft/status", nullptr);
    if (!status) return status.error();
    if (!status->is_object() || status->value("state", "") != "loading") break;
    if (std::chrono::steady_clock::now() > deadline) return make_error("its model is still loading");
    std::this_thread::sleep_for(kLoadingPause);
  }
  return daemon.ask(question.method, question.params);
}

// One after the other. Error: there is none, or not the one that is meant.
Expected<std::vector<Answer>> ask_daemons(const Settings& settings, const Question& question) {
  const auto folder = open_socket_folder(places_from_environment());
  if (!folder) return folder.error();
  std::vector<Answer> answers;
  for (const DaemonSocket& socket : daemon_sockets(*folder)) {
    if (settings.daemon != 0 && socket.pid != settings.daemon) continue;
    auto daemon = ControlClient::connect(socket.path, {.version = WEFT_VERSION, .patience = kPatience});
    if (daemon) answers.push_back({socket.pid, ask_when_loaded(*daemon, question)});
  }
  if (!answers.empty()) return answers;
  if (settings.daemon != 0) {
    return make_error("no weftd {} runs for you: `weft adapters list` shows those that do", settings.daemon);
  }
  return make_error(
      "no weftd runs for you: it runs while an editor has code open. To use an adapter from the beginning, start "
      "`weftd --adapter DIR`");
}

Json as_json(const std::vector<Answer>& answers) {
  Json daemons = Json::array();
  for (const Answer& answer : answers) {
    Json entry = answer.result && answer.result->is_object() ? *answer.result : Json::object();
    entry["pid"] = answer.pid;
    if (!answer.result) entry["error"] = answer.result.error().message;
    daemons.push_back(std::move(entry));
  }
  return {{"daemons", std::move(daemons)}};
}

std::string text_of(const Json& object, const char* field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// What one daemon answered, for people.
using Describe = std::string (*)(const Json& result);

int report(const Settings& settings, const Question& question, Describe describe) {
  const auto answers = ask_daemons(settings, question);
  if (!answers) return fail(answers.error());
  bool all_done = true;
  for (const Answer& answer : *answers) {
    all_done = all_done && answer.result;
    if (!answer.result) {
      fmt::print(stderr, "weftd {}: {}\n", answer.pid, answer.result.error().message);
    } else if (!settings.json) {
      const std::string said = describe(*answer.result);
      fmt::print("weftd {}:{}{}\n", answer.pid, said.starts_with('\n') ? "" : " ", said);
    }
  }
  if (settings.json) fmt::print("{}\n", as_json(*answers).dump(2));
  return all_done ? 0 : 1;
}

std::string describe_adapter(const Json& adapter) {
  const std::string task = text_of(adapter, "task");
  return fmt::format("{} ({}) from {}", text_of(adapter, "name"), task.empty() ? "no task" : task,
                     text_of(adapter, "directory"));
}

std::string describe_list(const Json& result) {
  const auto listed = result.is_object() ? result.find("adapters") : result.end();
  if (!result.is_object() || listed == result.end() || !listed->is_array() || listed->empty()) return "no adapters";
  std::string out;
  for (const Json& adapter : *listed) out += "\n  " + describe_adapter(adapter);
  return out;
}

std::string describe_inspected(const Json& adapter) {
  return fmt::format("{} fits, of rank {}, changes {} linears with {} parameters", describe_adapter(adapter),
                     adapter.value("rank", 0), adapter.value("modules", 0), adapter.value("parameters", 0));
}

int list(const Settings& settings) { return report(settings, {"weft/adapters/list", nullptr}, describe_list); }

int add(const Settings& settings) {
  return report(settings, {"weft/adapters/add", {{"directory", absolute(settings.subject)}}},
                [](const Json& adapter) { return "added " + describe_adapter(adapter); });
}

int remove(const Settings& settings) {
  return report(settings, {"weft/adapters/remove", {{"name", settings.subject}}},
                [](const Json& result) { return "removed " + text_of(result, "removed"); });
}

int inspect_files(const Settings& settings) {
  const auto directory = model::find_model_directory(settings.model);
  if (!directory) return fail(directory.error());
  const auto config = model::read_config(*directory);
  if (!config) return fail(config.error());
  const auto hash = adapters::base_hash(*directory);
  if (!hash) return fail(hash.error());
  const auto files = adapters::read_adapter(settings.subject, *config, *hash);
  if (!files) return fail(files.error());
  const Json report = to_json(report_of(*files, absolute(settings.subject)));
  if (settings.json) {
    fmt::print("{}\n", report.dump(2));
  } else {
    fmt::print("{}\n", describe_inspected(report));
  }
  return 0;
}

int inspect(const Settings& settings) {
  if (settings.daemon == 0) return inspect_files(settings);
  return report(settings, {"weft/adapters/inspect", {{"directory", absolute(settings.subject)}}}, describe_inspected);
}

struct Command {
  const char *name, *summary, *example;
  const char *subject, *subject_summary;  // null: none
  int (*run)(const Settings&);
};

constexpr Command kCommands[] = {
    {"list", "Print the adapters that the running daemons have", "weft adapters list --json", nullptr, nullptr, list},
    {"inspect", "Read an adapter's folder and say whether it fits the model", "weft adapters inspect ./bugs", "DIR",
     "folder in PEFT's format", inspect},
    {"add", "Install an adapter in the running daemons", "weft adapters add ./bugs", "DIR", "folder in PEFT's format",
     add},
    {"remove", "Take an adapter out of the running daemons", "weft adapters remove bugs", "NAME",
     "name, as `weft adapters list` shows it", remove},
};

void add_subcommand(CLI::App& group, const Command& command, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = group.add_subcommand(command.name, command.summary);
  if (command.subject != nullptr) {
    app->add_option("subject", settings->subject, command.subject_summary)->required()->type_name(command.subject);
  }
  if (command.run == inspect) {
    app->add_option("--model", settings->model,
                    "model directory to inspect it for (default: $WEFT_MODEL, else the one "
                    "that came along)")
        ->type_name("DIR");
  }
  app->add_option("--daemon", settings->daemon,
                  command.run == inspect ? "ask this daemon instead of reading the files here"
                                         : "only this one (default: all of yours)")
      ->check(CLI::PositiveNumber)
      ->type_name("PID");
  app->add_flag("--json", settings->json, "print the answers as JSON");
  app->footer(fmt::format("Example:\n  {}", command.example));
  app->callback([settings, run = command.run, &exit_code] { exit_code = run(*settings); });
}

}  // namespace

void add_adapters_command(CLI::App& root, int& exit_code) {
  CLI::App* group = root.add_subcommand("adapters", "Look at the adapters of running daemons, and change them");
  group->require_subcommand(1);
  for (const Command& command : kCommands) add_subcommand(*group, command, exit_code);
}

}  // namespace weft::lsp
