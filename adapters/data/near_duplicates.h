// NearDuplicates: texts that say almost the same. MinHash over shingles of five tokens in one permutation with optimal
// densification (Shrivastava 2017), found by banding (locality-sensitive hashing), confirmed by the signatures. The
// same texts in the same order give the same answers. One thread at a time; signature_of is pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weft::adapters {

class NearDuplicates {
 public:
  static constexpr std::size_t kHashes = 128, kBands = 16, kRows = kHashes / kBands;
  using Signature = std::array<std::uint32_t, kHashes>;

  // The share of equal entries of two signatures estimates the Jaccard similarity of the shingles.
  [[nodiscard]] static Signature signature_of(std::string_view text);

  // `min_similarity`: from which share two texts count as the same.
  explicit NearDuplicates(double min_similarity = 0.7) : min_similarity_(min_similarity) {}

  // The index of an earlier text that this one is near to; else the text is kept, and later ones are compared with it.
  std::optional<std::size_t> find_or_add(const Signature& signature);
  [[nodiscard]] std::size_t size() const { return kept_.size(); }  // the next kept text's index

 private:
  double min_similarity_;
  std::vector<Signature> kept_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> bands_;  // hash of a band -> indices into kept_
};

}  // namespace weft::adapters
