// Tensors from checkpoints: any slice, in the dtype that is asked for, as Hugging Face has it.
#include "model/tensor_file.h"

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "model/weights/checkpoint.h"
#include "model/weights/read_rows.h"

namespace weft::model {
namespace {

using ::testing::HasSubstr;

struct Values {
  std::vector<float> numbers = std::vector<float>(6 * 4);
  Values() { std::iota(numbers.begin(), numbers.end(), 1.0F); }
  [[nodiscard]] TensorView view(std::vector<std::int64_t> shape) const {
    return {Dtype::kF32, std::move(shape), std::as_bytes(std::span(numbers))};
  }
};

TEST(TensorFile, GivesASliceWithZerosBehindIt) {
  const Values values;
  const at::Tensor all = at::arange(1, 25, at::kFloat).view({6, 4});
  const auto rows = to_tensor(values.view({6, 4}), {0, 4, 2, 1}, at::kFloat);
  ASSERT_TRUE(rows);
  EXPECT_TRUE(at::equal(*rows, at::cat({all.narrow(0, 4, 2), at::zeros({1, 4})})));
  const auto columns = to_tensor(values.view({6, 4}), {1, 1, 3, 2}, at::kBFloat16);
  ASSERT_TRUE(columns);
  EXPECT_EQ(columns->scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(columns->to(at::kFloat), at::cat({all.narrow(1, 1, 3), at::zeros({6, 2})}, 1)));
  const auto vector = to_tensor(values.view({24}), {0, 20, 4, 2}, at::kFloat);
  EXPECT_TRUE(at::equal(*vector, at::cat({at::arange(21, 25, at::kFloat), at::zeros({2})})));
}

TEST(TensorFile, TurnsWhatIsStoredTheOtherWay) {
  const Values values;
  const TensorView turned = transpose(values.view({6, 4}));
  const at::Tensor expected = at::arange(1, 25, at::kFloat).view({6, 4}).t();
  EXPECT_TRUE(at::equal(to_tensor(turned), expected));
  EXPECT_TRUE(at::equal(*to_tensor(turned, {0, 1, 2, 0}, at::kFloat), expected.narrow(0, 1, 2)));
  EXPECT_TRUE(at::equal(*to_tensor(turned, {1, 1, 3, 0}, at::kFloat), expected.narrow(1, 1, 3)));
}

TEST(TensorFile, RefusesWhatIsNotOfWeights) {
  const std::vector<std::int64_t> ids{1, 2};
  const TensorView view{Dtype::kI64, {2}, std::as_bytes(std::span(ids))};
  EXPECT_THAT(to_tensor(view, {0, 0, 2, 0}, at::kFloat).error().message, HasSubstr("is of dtype I64"));
  EXPECT_EQ(to_tensor(view).scalar_type(), at::kLong);
}

TEST(TensorFile, GivesTheSameFromEitherKindOfFile) {
  const std::string goldens = std::string(WEFT_SOURCE_DIR) + "/tests/parity/gguf/";
  const auto gguf = Checkpoint::open(goldens + "llama.gguf"), original = Checkpoint::open(goldens + "llama");
  ASSERT_TRUE(gguf && original);
  for (const std::string& name : original->names()) {
    const auto own = gguf->find(name), right = original->find(name);
    EXPECT_TRUE(at::equal(to_tensor(*own).to(at::kBFloat16), to_tensor(*right))) << name;
    const std::int64_t half = right->shape[0] / 2;
    EXPECT_TRUE(at::equal(*to_tensor(*own, {0, half, half, 0}, at::kBFloat16), to_tensor(*right).narrow(0, half, half)))
        << name;
  }
}

TEST(TensorFile, LargeTensorsAreWhole) {
  std::vector<float> numbers(3 << 20);
  std::iota(numbers.begin(), numbers.end(), 0.0F);
  const TensorView view{Dtype::kF32, {3 << 10, 1 << 10}, std::as_bytes(std::span(numbers))};
  const auto tensor = to_tensor(view, {0, 0, 3 << 10, 0}, at::kFloat);
  ASSERT_TRUE(tensor);
  EXPECT_EQ(std::memcmp(tensor->const_data_ptr(), numbers.data(), numbers.size() * 4), 0);
}

}  // namespace
}  // namespace weft::model
