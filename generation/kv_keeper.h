// KvKeeper: the KV that outlives its request, in the prefix cache, and the room for what is to be computed. Engine
// thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "generation/decoding.h"
#include "generation/prefix_cache.h"
#include "model/runner.h"

namespace weft::generation {

class KvKeeper {
 public:
  KvKeeper(std::shared_ptr<model::ModelRunner> runner, NewSequence new_sequence)
      : runner_(std::move(runner)), new_sequence_(std::move(new_sequence)), cache_(new_sequence_) {}

  [[nodiscard]] PrefixCache::Match find(const Decoding& decoding);
  // Takes what a suspended request held: for whoever begins alike, or away.
  void keep(AdapterId adapter, const Decoding::Sequences& held);
  void release(const Decoding::Sequences& held);
  // Others may begin as this request's prompt does before it has ended.
  void share_prompt(const Decoding& decoding);
  void drop(AdapterId adapter);
  void clear();  // also after a step that failed: nobody knows what of it was done

  // Lets go of what was unused for longest until there is room for `tokens`. False: there is not, and nothing more is
  // to be had here.
  bool make_room(std::size_t tokens);
  // In whole blocks, and one for a block that has to be copied.
  [[nodiscard]] std::size_t room_for(std::size_t tokens) const { return tokens + 2 * runner_->info().kv_block_tokens; }

  void add_moves(model::StepPlan& plan);  // to the step that comes
  void flush();                           // in a step of their own, where none comes
  [[nodiscard]] std::size_t cached_tokens() const { return cache_.tokens(); }
  [[nodiscard]] std::size_t evicted_tokens() const { return evicted_; }

 private:
  std::shared_ptr<model::ModelRunner> runner_;
  NewSequence new_sequence_;
  PrefixCache cache_;
  SequenceMoves moves_;  // beside the cache's own, after them
  std::size_t evicted_ = 0;
};

}  // namespace weft::generation
