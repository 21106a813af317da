// PrefixCache: which token sequences the runner holds KV of, as a radix tree over tokens (Zheng et al. 2024, SGLang's
// RadixAttention). One tree an adapter, since KV is of one adapter alone; shared by all sessions. A node may end at any
// token: blocks are the runner's affair, which copies the one that two sequences part in.
//
// Each leaf has a sequence in the runner that holds the whole path to it; what stands further up is a prefix of that.
// Holds no KV itself: what the runner has to fork and to let go for it is collected in `take_moves`, plan, then commit.
// Engine thread only; pure. A leaf that was unused for longest goes first; what is pinned stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "model/runner.h"

namespace weft::generation {

using NewSequence = std::function<SequenceId()>;

// What the next step has to do beside its tokens: the forks, in order, then the releases.
struct SequenceMoves {
  std::vector<model::Fork> forks;
  std::vector<SequenceId> released;
};

class PrefixCache {
  struct Node;

 public:
  // While it lives, the path that it was given for is not evicted. It may outlive the cache.
  class Pin {
   public:
    Pin() = default;

   private:
    friend class PrefixCache;
    explicit Pin(std::shared_ptr<std::size_t> count) : held_(count.get(), [count](std::size_t* pins) { --*pins; }) {
      ++*count;
    }
    std::shared_ptr<std::size_t> held_;
  };
  struct Match {
    std::size_t length = 0;  // tokens; 0: there is nothing
    SequenceId sequence;     // holds them and perhaps more
    Pin pin;
  };

  explicit PrefixCache(NewSequence new_sequence);
  ~PrefixCache();
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;

  // The longest prefix of `tokens` that is held.
  [[nodiscard]] Match match(AdapterId adapter, std::span<const TokenId> tokens);
  // Takes over a sequence that holds KV of `tokens`, at least one.
  void insert(AdapterId adapter, std::span<const TokenId> tokens, SequenceId sequence);
  // Lets go of at least so many tokens, whole leaves, if there are as many that are not pinned. Returns how many.
  std::size_t evict(std::size_t tokens);
  void drop(AdapterId adapter);  // all of it, also what is pinned: nobody runs on it
  void clear();
  [[nodiscard]] SequenceMoves take_moves() { return std::exchange(moves_, {}); }
  [[nodiscard]] bool has_moves() const { return !moves_.forks.empty() || !moves_.released.empty(); }

  [[nodiscard]] std::size_t tokens() const { return tokens_; }  // each prefix that several share counted once
  // The whole paths that are held, the last used first.
  struct Path {
    AdapterId adapter;
    std::vector<TokenId> tokens;
    SequenceId sequence;
  };
  [[nodiscard]] std::vector<Path> paths() const;
  void check_invariants() const;  // aborts where one does not hold

 private:
  struct Place;  // how far down some tokens agree with the tree

  [[nodiscard]] Place find(Node& root, std::span<const TokenId> tokens);
  Node& split(Node& node, std::size_t length);
  Node& add_leaf(Node& parent, std::span<const TokenId> tokens);
  void remove_leaf(Node& leaf);
  void release_below(const Node& node);

  NewSequence new_sequence_;
  std::map<AdapterId, std::unique_ptr<Node>> roots_;
  SequenceMoves moves_;
  std::size_t tokens_ = 0;
  std::uint64_t time_ = 0;  // grows with each use
};

}  // namespace weft::generation
