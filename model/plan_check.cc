#include "model/plan_check.h"

#include <unordered_map>
#include <unordered_set>

namespace weft::model {
namespace {

class PlanCheck {
 public:
  explicit PlanCheck(const RunnerState& state) : state_(state) {}

  Expected<void> run(const StepPlan& plan) {
    for (const Fork& fork : plan.forks) {
      if (auto valid = check(fork); !valid) return valid;
    }
    for (const SequenceId id : plan.released) changed_.insert_or_assign(id, std::nullopt);
    for (const StepSequence& part : plan.sequences) {
      if (auto valid = check(part); !valid) return valid;
    }
    return {};
  }

 private:
  [[nodiscard]] std::optional<HeldLength> look_up(SequenceId id) const {
    const auto found = changed_.find(id);
    return found == changed_.end() ? state_.held(id) : found->second;
  }

  Expected<void> check(const Fork& fork) {
    const std::optional<HeldLength> from = look_up(fork.from);
    if (look_up(fork.to)) {
      return make_error("sequence {} can't be forked to {}, which exists", fork.from.value(), fork.to.value());
    }
    if (!from || fork.length.value() < 0 || fork.length.value() > from->tokens) {
      return make_error("sequence {} holds {} tokens: {} of them can't be forked", fork.from.value(),
                        from ? from->tokens : 0, fork.length.value());
    }
    changed_.insert_or_assign(fork.to, HeldLength{fork.length.value(), from->adapter});
    return {};
  }

  Expected<void> check(const StepSequence& part) {
    const std::uint64_t id = part.sequence.value();
    const std::optional<HeldLength> found = look_up(part.sequence);
    const std::int64_t held = found ? found->tokens : 0, start = part.start.value();
    if (part.tokens.empty()) return make_error("sequence {} has no tokens in this step", id);
    if (part.logits > part.tokens.size() || (part.logits > 1 && !state_.info.causal)) {
      return make_error("sequence {} can't have {} rows of logits of {} tokens", id, part.logits, part.tokens.size());
    }
    if (!named_.insert(part.sequence).second) return make_error("sequence {} stands twice in one step", id);
    if (start < 0 || start > held) {
      return make_error("sequence {} holds {} tokens and can't go on at position {}", id, held, start);
    }
    if (found && found->adapter != part.adapter) {
      return make_error("sequence {} is of adapter {}, not {}", id, found->adapter.value(), part.adapter.value());
    }
    if (part.adapter != AdapterId() && !state_.has_adapter(part.adapter)) {
      return make_error("adapter {} is not installed", part.adapter.value());
    }
    const std::size_t end = static_cast<std::size_t>(start) + part.tokens.size();
    if (end > state_.info.max_positions) {
      return make_error("sequence {} would hold {} tokens: the model takes {}", id, end, state_.info.max_positions);
    }
    for (const TokenId token : part.tokens) {
      if (token.value() < 0 || static_cast<std::size_t>(token.value()) >= state_.info.vocabulary) {
        return make_error("token {} is outside of the vocabulary of {}", token.value(), state_.info.vocabulary);
      }
    }
    return {};
  }

  const RunnerState& state_;
  std::unordered_map<SequenceId, std::optional<HeldLength>> changed_;
  std::unordered_set<SequenceId> named_;
};

}  // namespace

Expected<void> check_plan(const StepPlan& plan, const RunnerState& state) { return PlanCheck(state).run(plan); }

}  // namespace weft::model
