// Bugs of the functions that were touched, one function after the other: what the adapter thinks of it, and above its
// threshold what it says is wrong. A fix is kept only if the document parses with it and the adapter then calls the
// function clean.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "adapters/actions/action.h"
#include "adapters/actions/edits.h"
#include "adapters/tasks/lines.h"
#include "generation/syntax/functions.h"

namespace weft::adapters {
namespace {

using generation::ByteRange;
using generation::GenerationResult;

// For an adapter that says nothing of its own: quiet rather than wrong.
constexpr double kUncalibratedThreshold = 0.9;

struct Suspect {
  ByteRange range;  // of the document, from a line's begin
  std::string code;
};

Expected<generation::GenerationRequest> request_about(const ActionParts& parts, AdapterId adapter,
                                                      std::string_view function) {
  const std::string prompt = bug_prompt(function);
  return request_of(parts, {task_row("bug-detection"), prompt, adapter, generation::RequestClass::kBackground});
}

// One run's state. It lives in the callbacks of its generations, of which there is one at a time.
class BugHunt : public std::enable_shared_from_this<BugHunt> {
 public:
  BugHunt(ActionParts parts, RequestId run, const InstalledAdapter& adapter, ScreenedDocument document,
          std::vector<Suspect> suspects, Done<std::vector<Bug>> done)
      : parts_(std::move(parts)),
        run_(run),
        adapter_(adapter.id),
        threshold_(adapter.info.threshold > 0 ? adapter.info.threshold : kUncalibratedThreshold),
        document_(std::move(document)),
        suspects_(std::move(suspects)),
        done_(std::move(done)) {}

  void next_suspect() {
    if (at_ == suspects_.size()) return finish();
    judge(suspects_[at_].code, [self = shared_from_this()](double probability) { self->judged(probability); });
  }

 private:
  // The adapter's probability that there is a bug in `function`. One that is too long for it ends the suspect.
  void judge(const std::string& function, std::function<void(double)> then) {
    score(function, bug_verdict(), [self = shared_from_this(), function, then](double bug) {
      self->score(function, clean_verdict(), [then, bug](double clean) { then(1 / (1 + std::exp(clean - bug))); });
    });
  }

  // The log-probability of a verdict as the beginning of the answer.
  void score(const std::string& function, std::string_view verdict, std::function<void(double)> then) {
    auto request = request_for(function, verdict);
    if (!request) return skip();
    request->max_new_tokens = request->forced.size();
    generate(std::move(*request), [then = std::move(then)](const GenerationResult& result) {
      then(std::accumulate(result.logprobs.begin(), result.logprobs.end(), 0.0));
    });
  }

  void judged(double probability) {
    if (!(probability >= threshold_)) return skip();
    auto request = request_for(suspects_[at_].code, bug_verdict());
    if (!request) return skip();
    generate(std::move(*request), [self = shared_from_this(), probability](const GenerationResult& result) {
      self->answered(probability, result.text);
    });
  }

  void answered(double probability, const std::string& answer) {
    const Suspect& suspect = suspects_[at_];
    const auto report = parse_bug_answer(suspect.code, answer);
    if (!report) return skip();
    Bug bug{line_in(*document_.text, suspect.range, report->line), probability, std::nullopt};
    if (bug.line.begin == bug.line.end) return skip();
    const TextEdit fix{bug.line, report->fixed};
    bugs_.push_back(std::move(bug));
    if (!stays_sound(*document_.language, *document_.text, fix)) return skip();
    const std::string fixed = applied(*document_.text, fix);
    const std::size_t end = suspect.range.end - (fix.range.end - fix.range.begin) + fix.text.size();
    const std::string function =
        without_indentation(std::string_view(fixed).substr(suspect.range.begin, end - suspect.range.begin));
    judge(function, [self = shared_from_this(), fix](double probability_fixed) {
      if (probability_fixed < self->threshold_) self->bugs_.back().fix = fix;
      self->skip();
    });
  }

  Expected<generation::GenerationRequest> request_for(const std::string& function, std::string_view verdict) const {
    auto request = request_of(
        parts_, {task_row("bug-detection"), bug_prompt(function), adapter_, generation::RequestClass::kBackground});
    if (!request) return request;
    request->forced = parts_.runs->tokenizer().encode(verdict);
    request->session = "bug-detection\n" + document_.path;  // the prompt is computed once for both verdicts
    return request;
  }

  void generate(generation::GenerationRequest request, std::function<void(const GenerationResult&)> then) {
    parts_.runs->generate(run_, std::move(request),
                          [self = shared_from_this(), then = std::move(then)](Expected<GenerationResult> result) {
                            if (!result) return self->done_(result.error());
                            then(*result);
                          });
  }

  void skip() {
    ++at_;
    next_suspect();
  }

  void finish() {
    std::ranges::stable_sort(bugs_, std::ranges::greater(), &Bug::probability);
    // A line of an inner function is a line of the outer one too.
    std::vector<Bug> lines;
    for (Bug& bug : bugs_) {
      if (std::ranges::find(lines, bug.line, &Bug::line) == lines.end()) lines.push_back(std::move(bug));
    }
    done_(std::move(lines));
  }

  const ActionParts parts_;
  const RequestId run_;
  const AdapterId adapter_;
  const double threshold_;
  const ScreenedDocument document_;
  const std::vector<Suspect> suspects_;
  const Done<std::vector<Bug>> done_;
  std::size_t at_ = 0;  // the suspect at hand
  std::vector<Bug> bugs_;
};

// The functions that hold a byte of `changed`; those that are too long for the adapter and those that hold what looks
// like a key are left out.
Expected<std::vector<Suspect>> suspects_of(const ActionParts& parts, AdapterId adapter,
                                           const ScreenedDocument& document, ByteRange changed) {
  const std::string_view text = *document.text;
  const auto tree = generation::SyntaxTree::parse(*document.language, text);
  if (!tree) return tree.error();
  std::vector<Suspect> suspects;
  for (const generation::FunctionParts& function : generation::functions_of(*document.language, *tree, text)) {
    const ByteRange range = from_line_begin(text, function.whole);
    const bool touched = changed.begin == changed.end || (range.begin < changed.end && changed.begin < range.end);
    if (!touched || !unmasked(parts, document, text.substr(range.begin, range.end - range.begin))) continue;
    std::string code = function_text(text, function);
    if (request_about(parts, adapter, code)) suspects.push_back({range, std::move(code)});
  }
  return suspects;
}

}  // namespace

void start_find_bugs(const ActionParts& parts, RequestId run, const InstalledAdapter& adapter,
                     const ScreenedDocument& document, ByteRange changed, Done<std::vector<Bug>> done) {
  auto suspects = suspects_of(parts, adapter.id, document, changed);
  if (!suspects) return done(suspects.error());
  std::make_shared<BugHunt>(parts, run, adapter, document, std::move(*suspects), std::move(done))->next_suspect();
}

}  // namespace weft::adapters
