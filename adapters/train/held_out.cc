#include "adapters/train/held_out.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numbers>

namespace weft::adapters {

HeldOut held_out_rows(const IndexedDataset& data, const model::Tokenizer& tokenizer, TokenId filler, std::size_t rows,
                      std::size_t length, std::size_t batch_rows) {
  HeldOut out;
  const std::size_t used = std::min(rows, data.documents());
  for (std::size_t i = 0; i < used; ++i) {
    if (i % batch_rows == 0) {
      out.batches.emplace_back();
      out.batches.back().length = length;
    }
    RowBatch& batch = out.batches.back();
    ++batch.rows;
    // Spread over the documents, whose order is that of their paths.
    const auto document = data.tokens(i * data.documents() / used);
    std::vector<TokenId> tokens;
    for (const std::uint16_t id : document.first(std::min(document.size(), length))) tokens.emplace_back(id);
    for (std::size_t k = 1; k < tokens.size(); ++k) out.bytes += tokenizer.bytes(tokens[k]).size();
    append_piece(batch, static_cast<std::int64_t>(i), tokens);
    pad_row(batch, filler);
  }
  return out;
}

double bits_per_byte(const TrainableModel& model, const HeldOut& held_out) {
  const at::NoGradGuard no_gradient;
  double nats = 0;
  for (const RowBatch& batch : held_out.batches) nats += model.loss_sum(batch).item<double>();
  return held_out.bytes == 0 ? 0.0 : nats / std::numbers::ln2 / static_cast<double>(held_out.bytes);
}

}  // namespace weft::adapters
