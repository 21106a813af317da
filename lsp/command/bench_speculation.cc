#include "lsp/command/bench_speculation.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generation/memory/file_memory.h"
#include "generation/memory/mixture.h"
#include "generation/memory/snapshot_memory.h"
#include "generation/syntax/names.h"
#include "lsp/command/engine_runs.h"
#include "lsp/command/typing_trace.h"

namespace weft::lsp {
namespace {

using generation::GenerationRequest;
using generation::GenerationResult;
using nlohmann::json;

constexpr std::size_t kPlaces = 4;  // of a document
constexpr std::size_t kPromptTokens = 448, kPromptBytes = 4096, kNewTokens = 48, kRegionBytes = 400;
constexpr std::size_t kLeastBytes = 4000;  // of a document that is worth it

struct Piece {
  std::string before, region, after;
};

// Whole lines around a place.
Piece cut(const std::string& text, std::size_t place) {
  const std::size_t begin = std::min(text.find('\n', place), text.size() - 1) + 1;
  const std::size_t end = std::min(text.find('\n', std::min(begin + kRegionBytes, text.size())), text.size() - 1) + 1;
  return {text.substr(0, begin), text.substr(begin, end - begin), text.substr(end)};
}

// The name that stands there most often, of some length, becomes another.
std::string with_a_name_changed(const std::string& text) {
  std::map<std::string_view, std::size_t> counts;
  generation::each_name(text, [&](std::string_view word, std::size_t) {
    if (word.size() >= 4 && std::isdigit(static_cast<unsigned char>(word.front())) == 0) ++counts[word];
  });
  if (counts.empty()) return text;
  const std::string_view name =
      std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; })->first;
  std::string out;
  std::size_t copied = 0;
  generation::each_name(text, [&](std::string_view word, std::size_t at) {
    if (word != name) return;
    out.append(text, copied, at - copied).append(word).append("_new");
    copied = at + word.size();
  });
  return out.append(text, copied);
}

Expected<std::vector<std::string>> trace_documents() {
  const auto names = shipped_traces();
  if (!names) return names.error();
  std::map<std::string, std::string> texts;  // by uri
  for (const std::string& name : *names) {
    const auto trace = read_trace(name);
    if (!trace) return trace.error();
    for (const TypingStream& stream : trace->editors) {
      for (const TraceEvent& event : stream.events) {
        if (event.body.value("method", "") != "textDocument/didOpen") continue;
        const Json& document = event.body.at("params").at("textDocument");
        texts.emplace(document.at("uri").get<std::string>(), document.at("text").get<std::string>());
      }
    }
  }
  std::vector<std::string> out;
  for (auto& [uri, text] : texts) {
    if (text.size() >= kLeastBytes) out.push_back(std::move(text));
  }
  return out;
}

struct Sum {
  double plain_ms = 0, guessed_ms = 0;
  std::size_t tokens = 0, steps = 0, drafted = 0, accepted = 0, runs = 0, same = 0;

  void add(const GenerationResult& plain, const GenerationResult& guessed) {
    plain_ms += plain.timings.decode_ms;
    guessed_ms += guessed.timings.decode_ms;
    tokens += guessed.tokens.size();
    steps += guessed.timings.steps;
    drafted += guessed.timings.drafted_tokens;
    accepted += guessed.timings.accepted_tokens;
    ++runs;
    same += plain.tokens == guessed.tokens ? 1 : 0;
  }
  [[nodiscard]] json to_json() const {
    const auto share = [](std::size_t part, std::size_t of) {
      return of == 0 ? 0 : static_cast<double>(part) / static_cast<double>(of);
    };
    return {{"times_as_fast", guessed_ms > 0 ? plain_ms / guessed_ms : 0},
            {"tokens_per_step", share(tokens, steps)},
            {"accepted_share", share(accepted, drafted)},
            {"same_text_share", share(same, runs)},
            {"runs", runs}};
  }
};

class Bench {
 public:
  Bench(const ModelStack& stack, std::shared_ptr<const generation::MemoryWeights> weights)
      : stack_(stack), weights_(std::move(weights)), engine_(stack, {}) {}

  Expected<void> run(const Piece& piece) {
    const std::string edited = with_a_name_changed(piece.region);
    for (const bool edit : {false, true}) {
      const std::string text = piece.before + (edit ? piece.region : "") + piece.after;
      const std::string& written = edit ? edited : piece.region;
      for (const bool forced : {false, true}) {
        const auto with = ask(piece.before, text, forced ? &written : nullptr, true);
        if (!with) return with.error();
        const auto without = ask(piece.before, text, forced ? &written : nullptr, false);
        if (!without) return without.error();
        sums_[{edit, forced}].add(*without, *with);
      }
    }
    return {};
  }

  [[nodiscard]] json to_json() const {
    json out;
    for (const auto& [kind, sum] : sums_) {
      out[kind.first ? "edit" : "fresh"][kind.second ? "forced" : "live"] = sum.to_json();
    }
    return out;
  }

 private:
  Expected<GenerationResult> ask(const std::string& before, const std::string& text, const std::string* written,
                                 bool speculate) {
    generation::FileMemory file(stack_.tokenizer);
    GenerationRequest request;
    request.memory =
        generation::make_memory(file.update({.path = "a.py", .text = text, .cursor = before.size(), .opening = 0}), {});
    request.prompt = stack_.tokenizer->encode(before.substr(before.size() - std::min(before.size(), kPromptBytes)));
    if (request.prompt.size() > kPromptTokens) {
      request.prompt.erase(request.prompt.begin(), request.prompt.end() - static_cast<std::ptrdiff_t>(kPromptTokens));
    }
    request.max_new_tokens = kNewTokens;
    request.speculate = speculate;
    if (written != nullptr) {
      request.forced = stack_.tokenizer->encode(*written);
      request.forced.resize(std::min(request.forced.size(), kNewTokens));
      request.max_new_tokens = request.forced.size();
    } else {
      request.memory_weights = weights_;
    }
    std::vector<GenerationRequest> one;
    one.push_back(std::move(request));
    auto results = engine_.run(std::move(one));
    if (!results) return results.error();
    return std::move(results->front());
  }

  const ModelStack& stack_;
  std::shared_ptr<const generation::MemoryWeights> weights_;
  EngineRuns engine_;
  std::map<std::pair<bool, bool>, Sum> sums_;  // by edit, forced
};

}  // namespace

Expected<json> measure_speculation(const ModelStack& stack, std::size_t rounds, const CancelFlag& cancel) {
  const auto documents = trace_documents();
  if (!documents) return documents.error();
  generation::CompletionOptions options;
  if (auto added = add_memory_weights(options, stack.directory); !added) return added.error();
  Bench bench(stack, options.memory_weights);
  for (std::size_t round = 0; round < rounds; ++round) {
    for (const std::string& text : *documents) {
      for (std::size_t place = 1; place <= kPlaces; ++place) {
        if (cancel.cancelled()) return make_error("interrupted");
        if (auto done = bench.run(cut(text, text.size() * place / (kPlaces + 2))); !done) return done.error();
      }
    }
  }
  return bench.to_json();
}

}  // namespace weft::lsp
