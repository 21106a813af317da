#include "adapters/train/trainable_encoder_decoder.h"

#include <ATen/ops/tensor.h>

#include "adapters/train/decoder_loss.h"
#include "model/layers/encoder_decoder.h"

namespace weft::adapters {
namespace {

// Pairs end to end, as the runner has them: a source is closed, an answer begins with the start token.
struct PairBatch {
  std::vector<std::int64_t> sources, source_lengths;           // [S]
  std::vector<std::int64_t> answers, targets, answer_lengths;  // [N]
  std::vector<float> weights;                                  // [N]

  PairBatch(std::span<const TokenExample* const> examples, const model::EncoderConfig& encoder) {
    for (const TokenExample* example : examples) {
      for (const TokenId token : example->prompt) sources.push_back(token.value());
      if (encoder.end >= 0) sources.push_back(encoder.end);
      source_lengths.push_back(static_cast<std::int64_t>(example->prompt.size()) + (encoder.end >= 0 ? 1 : 0));
      std::int64_t before = encoder.decoder_start;
      weights.resize(targets.size() + example->answer.size(), 1);
      weights[targets.size()] = static_cast<float>(example->first_counts);
      for (const TokenId token : example->answer) {
        answers.push_back(before);
        targets.push_back(before = token.value());
      }
      answer_lengths.push_back(static_cast<std::int64_t>(example->answer.size()));
    }
  }
};

}  // namespace

at::Tensor TrainableEncoderDecoder::loss_sum(std::span<const TokenExample* const> examples) const {
  const PairBatch batch(examples, *config_.encoder);
  model::SoloCommunicator solo;
  const auto model = model::EncoderDecoder::bind(config_, cast_for_pass(weights_), solo);
  WEFT_CHECK(model.has_value());
  const at::Tensor encoded = model->encode(at::tensor(batch.sources, at::kLong), batch.source_lengths, nullptr);
  const std::vector<model::SourceMemory> memories = model->memories(encoded, batch.source_lengths, nullptr);
  model::TransientKv kv;
  std::vector<model::AnswerPart> parts;
  for (std::size_t i = 0; i < memories.size(); ++i) parts.push_back({&kv, &memories[i], batch.answer_lengths[i]});
  const at::Tensor hidden = model->decode(at::tensor(batch.answers, at::kLong), parts, nullptr);
  return cross_entropy_sum([&](const at::Tensor& x) { return model->logits(x); }, hidden,
                           at::tensor(batch.targets, at::kLong), batch.weights);
}

}  // namespace weft::adapters
