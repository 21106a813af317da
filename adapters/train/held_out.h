// Bits per byte on held-out documents, plain left to right. Training thread only.
#pragma once

#include "adapters/data/indexed_dataset.h"
#include "adapters/train/trainable_model.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::adapters {

struct HeldOut {
  std::vector<RowBatch> batches;
  std::size_t bytes = 0;  // of all scored targets
};

// The begin of each document in turn, up to `rows` rows of `length` tokens, in batches of `batch_rows`.
HeldOut held_out_rows(const IndexedDataset& data, const model::Tokenizer& tokenizer, TokenId filler, std::size_t rows,
                      std::size_t length, std::size_t batch_rows);

double bits_per_byte(const TrainableModel& model, const HeldOut& held_out);

}  // namespace weft::adapters
