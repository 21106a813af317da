// FakeRunner: a fake for tests. A ModelRunner without a model: it keeps each sequence's tokens, holds callers to the
// contract of StepPlan, and gives the logits that a script makes of the whole history, so that a wrong history shows in
// the text. An adapter has a script of its own, by its name, so that a wrong adapter shows as well. `step` on the
// engine thread; all else thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "model/runner.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/gate.h"

namespace weft::test {

// Logits [V] of the token that follows `history`. Called on the engine thread.
using Script = std::function<std::vector<float>(std::span<const TokenId> history)>;

// A different, arbitrary distribution for every history.
[[nodiscard]] Script hashed_script(std::size_t vocabulary = ByteTokenizer::kVocabulary, std::uint64_t seed = 0);
// Knows one text by heart and goes on where the end of what stands before the cursor stands in it: after the longest
// match, the first of several. <|endoftext|> at the text's end and after what it has never seen. Reads PSM and SPM.
[[nodiscard]] Script by_heart_script(std::string text);
// Says `reply` after <fim_middle> of a PSM prompt, whatever the prompt is, then <|endoftext|>.
[[nodiscard]] Script reply_script(std::string reply);

struct FakeRunnerOptions {
  std::string name = "fake-model";
  std::size_t vocabulary = ByteTokenizer::kVocabulary;
  std::size_t max_positions = 4096;
  std::size_t kv_tokens = std::size_t{1} << 40;  // that there is room for
  std::function<void()> on_step{};               // at the beginning of each step that has tokens; may be empty
  std::shared_ptr<Gate> gate{};                  // may be null; passed at the beginning of each step that has tokens
  std::map<std::string, Script>
      adapter_scripts{};         // by LoraAdapter::name; an adapter without one says what the base says
  std::string missing_module{};  // an adapter with a delta for it is refused
};

class FakeRunner final : public model::ModelRunner {
 public:
  explicit FakeRunner(Script script, FakeRunnerOptions options = {});

  [[nodiscard]] const model::RunnerInfo& info() const override { return info_; }
  [[nodiscard]] std::size_t free_kv_tokens() const override;
  Expected<model::StepResult> step(const model::StepPlan& plan) override;
  // Aborts where the id is 0, in use, or removed while a sequence has it: the caller's bug.
  Expected<void> install_adapter(AdapterId id, std::shared_ptr<const model::LoraAdapter> adapter) override;
  void remove_adapter(AdapterId id) override;

  // The step with this number, counted from 0 over all steps with tokens, fails and drops the sequences it names.
  void fail_at(std::size_t step, std::string message = "the device is gone");
  void run_out_of_memory_at(std::set<std::size_t> steps);  // counted alike, and drop what they name

  [[nodiscard]] std::size_t steps() const;             // with tokens, the failed ones too
  [[nodiscard]] std::size_t tokens_computed() const;   // prefilled and decoded
  [[nodiscard]] std::size_t most_tokens_held() const;  // at the end of a step
  [[nodiscard]] std::size_t sequences_held() const;
  [[nodiscard]] std::vector<std::vector<TokenId>> histories() const;  // of the sequences held
  [[nodiscard]] std::vector<std::string> adapters() const;            // names of the installed ones
  [[nodiscard]] std::vector<model::StepPlan> plans() const;           // of the steps with tokens
  [[nodiscard]] std::size_t broken_plans() const;                     // refused for the caller's fault

 private:
  struct Sequence {
    std::vector<TokenId> history;
    AdapterId adapter;
  };
  using Sequences = std::map<SequenceId, Sequence>;
  struct Adapter {
    std::string name;
    Script script;
  };
  [[nodiscard]] static std::size_t tokens_held(const Sequences& sequences);
  // What forks and releases make of the sequences held, if the plan may be run.
  [[nodiscard]] Expected<Sequences> prepare(const model::StepPlan& plan) const;
  [[nodiscard]] Expected<void> check(const model::StepSequence& part, const Sequences& sequences) const;
  void apply(const model::StepSequence& part, model::StepResult& result);

  const Script script_;
  const std::map<std::string, Script> adapter_scripts_;
  const std::string missing_module_;
  const model::RunnerInfo info_;
  const std::shared_ptr<Gate> gate_;
  const std::function<void()> on_step_;
  const std::size_t kv_tokens_;
  mutable std::mutex mutex_;
  Sequences sequences_;
  std::map<AdapterId, Adapter> adapters_;
  std::vector<model::StepPlan> plans_;
  std::size_t tokens_computed_ = 0, most_tokens_held_ = 0, broken_plans_ = 0;
  std::optional<std::size_t> failing_step_;
  std::set<std::size_t> steps_without_memory_;
  std::string failure_;
};

}  // namespace weft::test
