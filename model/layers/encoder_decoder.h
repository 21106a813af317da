// The encoder-decoder of T5 and CodeT5 (Raffel et al. 2020): a source is encoded once, and every decoder layer attends
// to it beside its own tokens. Positions are relative, scores are not scaled, norms have no bias. As a Transformer, it
// is a function of its weights: training binds it anew to each step's, serving once. Immutable; compute thread only.
// Shapes: S tokens of all sources, N of all answers, H heads, D head size, V vocabulary, R ranks.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

#include "model/layers/kv_buffer.h"
#include "model/layers/relative_position.h"
#include "model/layers/transformer.h"

namespace weft::model {

// Keys and values of one encoded source, one for each decoder layer: [H/R, S, D].
using SourceMemory = std::vector<KvSlices>;

// A sequence's share of a pass through the decoder.
struct AnswerPart {
  KvView* kv;                  // of its own tokens
  const SourceMemory* source;  // what it answers
  std::int64_t tokens;         // of this sequence in the pass, in order
};

// KvView of an answer that is run whole, as in training: nothing is held, gradients pass through.
class TransientKv final : public KvView {
 public:
  [[nodiscard]] std::int64_t length() const override { return 0; }
  KvSlices extend(int /*layer*/, const at::Tensor& k, const at::Tensor& v) override {
    return {k.transpose(0, 1), v.transpose(0, 1)};
  }
};

struct EncoderDecoderBinding;  // weights by name while a model is bound

// One attention with the norm before it. What it attends to is given by the caller.
class NormedAttention {
 public:
  NormedAttention(const EncoderDecoderBinding& binding, const std::string& norm, const std::string& module);
  [[nodiscard]] at::Tensor norm(const at::Tensor& x) const { return norm_.forward(x); }
  at::Tensor queries(const at::Tensor& x, const Deltas* deltas) const { return heads(q_.forward(x, deltas).front()); }
  at::Tensor keys(const at::Tensor& x, const Deltas* deltas) const { return heads(k_.forward(x, deltas).front()); }
  at::Tensor values(const at::Tensor& x, const Deltas* deltas) const { return heads(v_.forward(x, deltas).front()); }
  // attended: [N, H/R * D] -> [N, hidden]
  at::Tensor output(const at::Tensor& attended, const Deltas* deltas) const { return o_.forward(attended, deltas); }

 private:
  [[nodiscard]] at::Tensor heads(const at::Tensor& y) const;  // [N, H/R * D] -> [N, H/R, D]
  std::int64_t head_dim_;
  Norm norm_;
  ColumnParallelLinear q_, k_, v_;
  RowParallelLinear o_;
};

// The feed-forward with the norm before it: one linear and its activation, or a gated pair.
class NormedFeedForward {
 public:
  NormedFeedForward(const EncoderDecoderBinding& binding, const std::string& norm, const std::string& module);
  at::Tensor forward(const at::Tensor& x, const Deltas* deltas) const;  // [N, hidden] -> [N, hidden]

 private:
  Activation activation_;
  Norm norm_;
  std::vector<ColumnParallelLinear> in_;  // the activated one, and the gated one where there is
  RowParallelLinear out_;
};

class EncoderDecoder {
 public:
  // Error: what the lookup says of the first weight it cannot give.
  static Expected<EncoderDecoder> bind(const ModelConfig& config, const WeightLookup& lookup,
                                       Communicator& communicator);

  // Sources one behind the other, of these lengths. ids: [S] i64 -> [S, hidden], after the encoder's last norm.
  at::Tensor encode(const at::Tensor& ids, std::span<const std::int64_t> lengths, const Deltas* deltas,
                    const StageObserver& observe = {}) const;
  // encoded: [S, hidden]. One memory a source.
  [[nodiscard]] std::vector<SourceMemory> memories(const at::Tensor& encoded, std::span<const std::int64_t> lengths,
                                                   const Deltas* deltas) const;
  // ids: [N] i64 -> [N, hidden], ready for `logits`. The caller commits to each kv.
  at::Tensor decode(const at::Tensor& ids, std::span<const AnswerPart> parts, const Deltas* deltas,
                    const StageObserver& observe = {}) const;
  // [N, hidden] -> [N, V].
  at::Tensor logits(const at::Tensor& hidden) const { return head_.forward(hidden); }

 private:
  struct EncoderLayer {
    NormedAttention self;
    NormedFeedForward feed_forward;
    // biases: one a source. [S, hidden] -> [S, hidden]
    at::Tensor forward(const at::Tensor& x, std::span<const at::Tensor> biases, const Deltas* deltas) const;
  };
  struct AnswerPass {
    std::span<const AnswerPart> parts;
    std::vector<at::Tensor> biases;  // one a part
    const Deltas* deltas;
  };
  struct DecoderLayer {
    int index;
    NormedAttention self, cross;
    NormedFeedForward feed_forward;
    at::Tensor attend_self(const at::Tensor& x, const AnswerPass& pass) const;    // [N, hidden] -> [N, hidden]
    at::Tensor attend_source(const at::Tensor& x, const AnswerPass& pass) const;  // [N, hidden] -> [N, hidden]
  };
  explicit EncoderDecoder(const EncoderDecoderBinding& binding);

  double output_scale_;
  VocabParallelEmbedding embedding_;
  RelativePosition encoder_positions_, decoder_positions_;
  std::vector<EncoderLayer> encoder_;
  std::vector<DecoderLayer> decoder_;
  Norm encoder_norm_, decoder_norm_;
  VocabParallelHead head_;
};

}  // namespace weft::model
