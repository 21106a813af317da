#include "lsp/command/typing_trace.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "lsp/location.h"

namespace weft::lsp {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".jsonl";

struct Line {
  std::size_t editor = 0;
  TraceEvent event;
};

// Nothing: the line is no message of a client's.
Expected<std::optional<Line>> read_line(std::string_view text) {
  const Json entry = Json::parse(text, nullptr, false);
  if (!entry.is_object()) return make_error("not a JSON object");
  if (!entry.contains("body")) return std::optional<Line>();
  if (entry.value("from", Json("client")) != "client") return std::optional<Line>();
  Json body = entry["body"];
  if (body.is_string()) body = Json::parse(body.get<std::string>(), nullptr, false);
  if (!body.is_object() || !body.contains("method") || !body["method"].is_string()) return std::optional<Line>();
  const Json time = entry.value("time_ms", Json());
  if (!time.is_number()) return make_error("no time_ms");
  const Json editor = entry.value("editor", Json(0));
  if (!editor.is_number_integer() || editor < 0) {
    return make_error("editor is {}, not a number from 0 on", editor.dump());
  }
  return std::optional(Line{editor.get<std::size_t>(), {time.get<double>(), std::move(body)}});
}

// Which of a stream's events are keys. Changes that are not asked about are of the key behind them.
template <typename OnKey>
void for_each_key(const TypingStream& stream, OnKey on_key) {
  std::set<std::string> changed;
  for (std::size_t i = 0; i < stream.events.size(); ++i) {
    const Json& body = stream.events[i].body;
    const std::string& method = body["method"].get_ref<const std::string&>();
    const bool change = method == "textDocument/didChange";
    if (!change && method != "textDocument/inlineCompletion") continue;
    const std::string uri = body.at("params").at("textDocument").at("uri");
    if (change) {
      changed.insert(uri);
    } else if (changed.erase(uri) > 0 && !on_key(i)) {
      return;
    }
  }
}

Expected<void> check(const TypingStream& stream) {
  if (stream.events.empty() || stream.events.front().body["method"] != "initialize") {
    return make_error("{}: an editor does not begin with initialize", stream.name);
  }
  try {
    if (count_keys(stream) > 0) return {};
  } catch (const Json::exception& failure) {
    return make_error("{}: {}", stream.name, failure.what());
  }
  return make_error("{}: nothing is typed", stream.name);
}

std::array<fs::path, 2> shipped_folders() {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed).parent_path();
  return {program / "../share/weft/traces", program / "../../../tests/bench/traces"};
}

}  // namespace

Expected<TypingTrace> parse_trace(const std::string& name, std::string_view lines) {
  std::map<std::size_t, TypingStream> editors;
  for (std::size_t number = 1, begin = 0; begin < lines.size(); ++number) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    const std::string_view text = lines.substr(begin, end - begin);
    begin = end + 1;
    if (text.empty()) continue;
    auto line = read_line(text);
    if (!line) return make_error("{}:{}: {}", name, number, line.error().message);
    if (*line) editors[(*line)->editor].events.push_back(std::move((*line)->event));
  }
  if (editors.empty()) return make_error("{}: no message of a client's", name);
  TypingTrace trace{name, {}};
  for (auto& [number, stream] : editors) {
    stream.name = editors.size() == 1 ? name : fmt::format("{}.{}", name, number);
    std::ranges::stable_sort(stream.events, {}, &TraceEvent::at_ms);
    if (auto checked = check(stream); !checked) return checked.error();
    trace.editors.push_back(std::move(stream));
  }
  return trace;
}

Expected<TypingTrace> read_trace(const std::string& file) {
  fs::path path = file;
  std::error_code failed;
  if (!fs::exists(path, failed) && !path.has_extension()) {
    for (const fs::path& folder : shipped_folders()) {
      const fs::path shipped = folder / (file + std::string(kSuffix));
      if (fs::exists(shipped, failed)) path = shipped;
    }
  }
  const auto text = read_text_file(path.string());
  if (!text) return text.error();
  return parse_trace(path.stem().string(), *text);
}

Expected<std::vector<std::string>> shipped_traces() {
  std::vector<std::string> found;
  const auto folders = shipped_folders();
  for (const fs::path& folder : folders) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      if (entry.path().extension() == kSuffix) found.push_back(entry.path().lexically_normal().string());
    }
    if (!found.empty()) break;
  }
  if (found.empty()) {
    return make_error("no recorded traces in {} or {}: name one with --trace", folders[0].lexically_normal().string(),
                      folders[1].lexically_normal().string());
  }
  std::ranges::sort(found);
  return found;
}

void cut_pauses(TypingTrace& trace, double limit_ms) {
  std::vector<TraceEvent*> events;
  for (TypingStream& stream : trace.editors) {
    for (TraceEvent& event : stream.events) events.push_back(&event);
  }
  std::ranges::stable_sort(events, {}, &TraceEvent::at_ms);
  double before = 0, cut = 0;
  for (TraceEvent* event : events) {
    cut += std::max(0.0, event->at_ms - before - limit_ms);
    before = event->at_ms;
    event->at_ms -= cut;
  }
}

std::size_t count_keys(const TypingStream& stream) {
  std::size_t keys = 0;
  for_each_key(stream, [&](std::size_t) {
    ++keys;
    return true;
  });
  return keys;
}

void keep_keys(TypingStream& stream, std::size_t keys) {
  std::size_t seen = 0, end = stream.events.size();
  for_each_key(stream, [&](std::size_t event) {
    if (++seen <= keys) return true;
    end = event;
    return false;
  });
  stream.events.resize(end);
}

}  // namespace weft::lsp
