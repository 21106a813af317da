// The pipeline from a document and a cursor to what is offered. The daemon, `weft complete`, `weft eval` and `weft
// bench` all call this one. Positions are byte offsets into the named snapshot. Thread-safe unless said otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generation/engine.h"
#include "generation/memory/environment_memory.h"
#include "generation/memory/project_memory.h"
#include "model/base/expected.h"

namespace weft::generation {

struct Calibration;

struct DocumentView {
  std::string path;                         // for the language, the secret rules and messages; need not exist on disk
  std::string language;                     // "python"; empty: by the path's extension
  std::shared_ptr<const std::string> text;  // UTF-8
  std::int64_t version = 0;
};

// Another document that is open beside the one that is asked about.
struct OpenDocument {
  std::string path, language;
  std::shared_ptr<const std::string> text;  // UTF-8; the same as long as the document does not change
  std::uint64_t last_edit = 0;              // higher is later, over all documents; 0: never
  std::size_t edited_at = 0;                // byte offset of that edit
};

enum class Trigger { kAutomatic, kInvoked };

struct CompletionRequest {
  DocumentView document;
  std::size_t cursor = 0;  // byte offset, on a character boundary
  Trigger trigger = Trigger::kAutomatic;
  AdapterId adapter{};               // 0: the base alone
  std::vector<OpenDocument> others;  // for families that can be told of other files
  std::string root;                  // folder that paths are told relative to; its name is the repository's
  std::string session;  // requests of one session about one document supersede each other at the caller's wish
};

// How likely the model held some of its lines. Log-probabilities are natural.
struct LineLikelihood {
  std::size_t tokens = 0;
  double logprob = 0;        // of all of them together
  double worst_logprob = 0;  // the least of a token
};

// What the rank of a candidate is made of. Log-probabilities are natural, of the tokens of the text that is offered.
struct ScoreParts {
  double mean_logprob = 0;  // of a token: the length-normalised log-probability
  std::size_t tokens = 0;
  LineLikelihood first_line{};     // with the token that ends it, where one does
  LineLikelihood further_lines{};  // all others
  // By the model's calibration, see threshold.h: that the first line is right, and that the others are if it is.
  std::optional<double> confidence{}, further_confidence{};
  int syntax_errors = 0;             // that it adds where it is inserted; 0 where nobody can tell
  double cut = 0;                    // the share of its bytes that the syntax gate took away
  std::size_t open_brackets = 0;     // that it opens and neither it nor the text behind the cursor closes
  std::size_t odd_indentations = 0;  // lines that are deeper without a reason, or come back to no outer block
  double repetition = 0;             // the share of its lines that stand in it or just above the cursor already
  double overlap = 0;                // the share of its lines that stand below the cursor already
};

struct CompletionItem {
  std::string text;                                // inserted in place of [replace_begin, replace_end)
  std::size_t replace_begin = 0, replace_end = 0;  // byte offsets, on the cursor's line
  double score = 0;  // higher is better; the mean log-probability less what speaks against it
  ScoreParts parts{};
};

// What became of one candidate, for whoever asks why.
struct FilterStep {
  std::string_view filter;
  std::size_t removed_bytes = 0;
};
// Where a part of a suggestion stands in the project's Python environment.
struct RememberedSource {
  std::size_t tokens = 0;  // of the part: the suggestion's longest that stands anywhere there
  std::string package, version, licence, file;
};
struct CandidateTrace {
  std::string generated{};          // what the model wrote
  std::string offered{};            // what is left of it, with LF line ends; empty: nothing
  std::string_view reason{};        // why nothing is left
  std::vector<FilterStep> steps{};  // the filters that took something away, in their order
  double score = 0;
  ScoreParts parts{};
  std::optional<RememberedSource> source{};  // of parts of some length
};

struct CompletionTimings {
  double prompt_ms = 0, queue_ms = 0, prefill_ms = 0, decode_ms = 0, filter_ms = 0, total_ms = 0;
  std::size_t prompt_tokens = 0, prefilled_tokens = 0, generated_tokens = 0;
  bool from_cache = false;
};

struct CompletionResult {
  std::vector<CompletionItem> items;  // best first; may be empty
  // Why there is nothing: "secret file", "empty document", "empty", "repeats the suffix", "repeats the next line",
  // "repeats itself", "unbalanced brackets", "breaks the syntax", "same as another", "unsure",
  // "copied without a permissive licence", "cancelled".
  std::string reason;
  std::vector<CandidateTrace> candidates;  // in the order in which they were generated; none from the cache
  CompletionTimings timings;
  std::string model;
  bool cancelled = false;
  bool partial = false;  // cut at the deadline: more of it may be there at the next key
};

// Which texts are looked up for what follows the last tokens: none, the document's, its project's as well, whose files
// are read from disk in the background, and those of its Python environment too. Each adds to the one before.
enum class MemoryReach : std::uint8_t { kNothing, kDocument, kProject, kEnvironment };

// Called with the path and each piece of text that is about to enter a prompt; returns the text with keys masked.
// An error: the file must not be read at all. Thread-safe.
using Screen = std::function<Expected<std::string>(std::string_view path, std::string_view text)>;

struct CompletionOptions {
  // A fresh place computes all of it: more context would cost a processor more time than an editor waits.
  std::size_t prompt_budget_tokens = 448;
  std::size_t suffix_budget_tokens = 128;  // of the prompt's
  // Of other files, beside the prompt's budget, in families that can be told of them. It is computed once a region.
  std::size_t context_budget_tokens = 256;
  std::size_t max_new_tokens = 64;
  std::size_t cache_entries = 250;
  std::size_t max_lines = 12;          // of one suggestion
  std::size_t invoked_candidates = 3;  // by sampling
  std::size_t invoked_beams = 0;       // more than 1: by a beam search of that width in place of it
  bool shows_unsure = false;           // whatever the calibration says of the first line
  // After so long an automatic request is answered as soon as a line is finished; the rest goes on in the background
  // and is in the cache when the next key comes. 0: never cut.
  double first_answer_ms = 0;
  // What comes after a suggestion that is accepted whole is asked for in the background, right after it was offered.
  bool continues_accepted = false;
  MemoryReach memory = MemoryReach::kDocument;
  EnvironmentOptions environment{};  // for MemoryReach::kEnvironment
  // How much the memory counts beside the model (load_memory_weights); null: it is good for guessing alone.
  std::shared_ptr<const MemoryWeights> memory_weights{};
  // When an automatic request is shown what there is (load_calibration); null: always.
  std::shared_ptr<const Calibration> calibration{};
  Screen screen;  // empty: the built-in secret rules
};

struct MemoryState {
  std::string root;  // the project's
  ProjectMemoryState project;
  std::optional<EnvironmentState> environment{};  // nothing: none is wanted
};

// As an editor wants it.
[[nodiscard]] CompletionOptions editor_options();

class CompletionService {
 public:
  CompletionService(std::shared_ptr<Engine> engine, model::ModelConfig config, std::shared_ptr<const Clock> clock,
                    CompletionOptions options = {});
  ~CompletionService();
  using Done = std::function<void(Expected<CompletionResult>)>;
  // `done` is called exactly once: at once on a cache hit or an error, else on the engine thread.
  // A cancelled request still calls `done`, with `cancelled` set. What goes on in the background after the answer ends
  // by itself, or with the next request of the session about the document that the cache does not answer.
  RequestId complete(CompletionRequest request, Done done);
  void cancel(RequestId id);  // unknown ids are ignored
  // A file was written or removed on disk, by whomever: the memory of its project reads it again.
  void file_changed(const std::string& path);
  // Of the projects in memory, the last used first.
  [[nodiscard]] std::vector<MemoryState> memory_state() const;
  // Blocks until done; drives a sync-mode engine itself.
  Expected<CompletionResult> complete_now(CompletionRequest request);
  // Blocks until the project in the folder has been read, where projects are remembered: requests read it in the
  // background, and know as much as has been read.
  void read_project(const std::string& root);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace weft::generation
