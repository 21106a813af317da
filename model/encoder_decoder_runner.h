// EncoderDecoderRunner: a model with an encoder behind the interface of a decoder, so that nothing above knows. Engine
// thread only. Torch's exceptions end here and become errors; a plan is checked as a whole before anything of it is
// done.
//
// A sequence's tokens up to and with the first that wants logits are its source. Chunks before that one are only kept;
// then the source, closed by EncoderConfig::end, is encoded once and what the decoder reads of it is cached. The
// decoder begins with EncoderConfig::decoder_start, whose logits are the first. Tokens after the source are the
// answer's. Positions count both. A `start` inside of the source drops the answer and what follows of the source; the
// next tokens with logits close it again, and it is encoded anew unless it is the same as before. A fork at or behind
// the source's end shares the encoded source and copies the answer's KV; a fork before it is a shorter, open source.
//
// What differs from a decoder: where the source ends is history, so the same tokens give the same logits only when they
// were divided in the same way. A session that goes on behind its last source goes on in the answer (greedy decoding of
// the whole text as one prompt may say something else), and a longer source is encoded from its beginning. Adapters are
// refused. The source alone may have max_positions tokens, which is the limit of source and answer together too.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "model/layers/encoder_decoder.h"
#include "model/layers/kv_buffer.h"
#include "model/runner.h"

namespace weft::model {

class EncoderDecoderRunner final : public ModelRunner {
 public:
  EncoderDecoderRunner(ModelConfig config, EncoderDecoder model, std::shared_ptr<Communicator> communicator,
                       RunnerInfo info, at::ScalarType dtype, int threads);
  [[nodiscard]] const RunnerInfo& info() const override { return info_; }
  [[nodiscard]] std::size_t free_kv_tokens() const override;
  Expected<StepResult> step(const StepPlan& plan) override;
  Expected<void> install_adapter(AdapterId id, std::shared_ptr<const LoraAdapter> adapter) override;
  void remove_adapter(AdapterId id) override;

 private:
  struct EncodedSource {
    std::vector<std::int64_t> ids;
    SourceMemory memory;
  };
  struct Sequence {
    std::vector<std::int64_t> source;
    std::shared_ptr<const EncodedSource> encoded;  // of the source when it is closed, else perhaps of an older one
    bool closed = false;                           // what follows is the answer
    KvBuffer answer;                               // the start token and the answer's
    [[nodiscard]] std::int64_t length() const;     // of source and answer, without the start token
    void cut(std::int64_t start);
  };
  StepResult run(const StepPlan& plan);
  StepResult decode(const StepPlan& plan, const std::vector<std::vector<std::int64_t>>& tokens);
  Sequence& sequence(SequenceId id);
  void fork(const Fork& fork);
  void encode(const std::vector<Sequence*>& sources);

  ModelConfig config_;
  std::shared_ptr<Communicator> communicator_;
  EncoderDecoder model_;
  RunnerInfo info_;
  at::ScalarType dtype_;
  int threads_;
  bool thread_count_set_ = false;
  std::unordered_map<SequenceId, Sequence> sequences_;
};

}  // namespace weft::model
