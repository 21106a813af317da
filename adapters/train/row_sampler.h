// RowSampler: packed documents to training rows. Documents are cut into chunks that fit a row, at line ends where there
// are any; rows of T tokens are filled with chunks in an order that is shuffled anew each epoch, so that a step's rows
// come from many documents; a share of the pieces is cut for infilling. What a row holds is a function of (seed,
// state), so a run that starts from a saved state sees the same rows. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "adapters/data/indexed_dataset.h"
#include "adapters/train/fim.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::adapters {

struct RowSamplerOptions {
  std::size_t row_tokens = 1024;
  double fim_rate = 0.6, spm_rate = 0.5;
  std::uint64_t seed = 1;
};

struct RowSamplerState {
  std::uint64_t epoch = 0;
  std::uint64_t chunk = 0;  // in the epoch's order
  std::uint64_t token = 0;  // of that chunk
  friend bool operator==(const RowSamplerState&, const RowSamplerState&) = default;
};

// B rows of T tokens, flat. A target is the next token of the same piece, or kIgnored.
struct RowBatch {
  static constexpr std::int64_t kIgnored = -100;
  std::size_t rows = 0, length = 0;
  std::vector<std::int64_t> ids, positions, documents, targets;  // [B * T]
  std::vector<float> weights;                                    // [B * T] of the targets; empty: all alike
  std::size_t scored = 0;                                        // targets that count
};

class RowSampler {
 public:
  // The dataset and the tokenizer must outlive it. The dataset has at least one token.
  RowSampler(const IndexedDataset& data, const model::Tokenizer& tokenizer, const FimTokens& control,
             const RowSamplerOptions& options, RowSamplerState state = {});
  RowBatch next(std::size_t rows);
  [[nodiscard]] const RowSamplerState& state() const { return state_; }

 private:
  struct Chunk {
    std::uint32_t document = 0, begin = 0, tokens = 0;
  };
  void cut_into_chunks();
  std::vector<TokenId> piece(std::size_t room);
  std::vector<TokenId> infilled(const std::vector<TokenId>& plain, std::size_t room, Random& random) const;
  void advance(std::size_t tokens);
  void shuffle();

  const IndexedDataset& data_;
  const model::Tokenizer& tokenizer_;
  FimTokens control_;
  RowSamplerOptions options_;
  RowSamplerState state_;
  std::vector<Chunk> chunks_;         // in the order of the documents
  std::vector<std::uint32_t> order_;  // of chunks, this epoch
};

// Appends a piece as the row's next document. Public for the evaluation, which fills rows without cuts.
void append_piece(RowBatch& batch, std::int64_t document, const std::vector<TokenId>& tokens);
// Fills the batch's last row up to `length` with tokens that do not count.
void pad_row(RowBatch& batch, TokenId filler);

}  // namespace weft::adapters
