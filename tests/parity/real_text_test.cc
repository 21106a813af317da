// What rounding the weights does to real text: the default model in int8 and int4 beside itself in bf16, over Python
// that it has not been trained on, this project's own.
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "model/layers/kv_blocks.h"
#include "model/tokenizer/tokenizer.h"
#include "tests/parity/golden.h"

namespace weft::model {
namespace {

constexpr std::int64_t kContext = 512;  // tokens

class RealText : public ::testing::Test {
 protected:
  // The ids of a source file, in documents of up to kContext.
  [[nodiscard]] std::vector<at::Tensor> documents(const std::string& path) const {
    std::ifstream file(std::string(WEFT_SOURCE_DIR) + "/" + path);
    std::stringstream text;
    text << file.rdbuf();
    const auto tokenizer = load_tokenizer(folder_.path());
    EXPECT_TRUE(tokenizer);
    std::vector<std::int64_t> ids;
    for (const TokenId id : (*tokenizer)->encode(text.str())) ids.push_back(id.value());
    EXPECT_GT(ids.size(), 1000U) << path;
    std::vector<at::Tensor> out;
    for (const at::Tensor& part : at::tensor(ids).split(kContext)) out.push_back(part);
    return out;
  }

  // The most probable next token at each place.
  [[nodiscard]] std::vector<at::Tensor> best(const MatrixFormat& format, const std::vector<at::Tensor>& documents) {
    const Transformer transformer = folder_.packed(format, communicator_);
    const ModelConfig& config = folder_.config();
    std::vector<at::Tensor> out;
    for (const at::Tensor& ids : documents) {
      KvPool pool(config.layers, {KvFormat::kBFloat16, config.kv_heads, config.head_dim, 16}, 1000);
      KvBlocks kv(pool);
      PagedAttention attention(**serving_cpu(0), {{&kv, ids.size(0)}});
      const at::Tensor positions = at::arange(ids.size(0), at::kLong);
      out.push_back(transformer.logits(transformer.hidden(ids, positions, {.attention = attention})).argmax(-1));
    }
    return out;
  }

  // The share of places at which two agree.
  static double agreement(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
    double equal = 0, all = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      equal += a[i].eq(b[i]).sum().item<double>();
      all += static_cast<double>(a[i].numel());
    }
    return equal / all;
  }

  const test::ModelFolder folder_{"model/default"};
  SoloCommunicator communicator_;
};

TEST_F(RealText, RoundedWeightsKeepTheTopToken) {
  std::vector<at::Tensor> text = documents("tests/parity/make_golden.py");
  for (const at::Tensor& part : documents("tests/support/lsp_client.py")) text.push_back(part);
  const auto bf16 = best({WeightFormat::kBFloat16, 0}, text);
  const double int8 = agreement(bf16, best({WeightFormat::kInt8, 0}, text));
  const double int4 = agreement(bf16, best({WeightFormat::kInt4, 64}, text));
  RecordProperty("int8", fmt::format("{:.4f}", int8));
  RecordProperty("int4", fmt::format("{:.4f}", int4));
  EXPECT_GE(int8, 0.98);
  EXPECT_GE(int4, 0.80);
}

}  // namespace
}  // namespace weft::model
