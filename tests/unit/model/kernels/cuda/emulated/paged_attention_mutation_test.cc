// Every barrier and every bounds check of the kernel is needed: without any one of them a small problem goes wrong,
// either by its result or by what the emulation forbids. A new WEFT_BARRIER or WEFT_GUARD is found here by itself.
#include <fstream>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/cuda_on_cpu/block.h"
#include "tests/unit/model/kernels/cuda/paged_attention_case.h"

namespace weft::model::cuda {
namespace {

using cuda_on_cpu::Site;

// What goes wrong in problems that come by all of the kernel; empty: nothing.
std::string what_goes_wrong() {
  const CaseShape shapes[] = {
      {.heads = 3, .kv_heads = 1, .head_size = 80, .lengths = {70, 33}},
      {.heads = 2, .kv_heads = 2, .head_size = 64, .block_tokens = 5, .tokens_per_split = 32, .lengths = {3, 70}},
  };
  for (const CaseShape& shape : shapes) {
    try {
      if (std::string what = wrong(Case<Bf16>(shape)); !what.empty()) return what;
    } catch (const cuda_on_cpu::Fault& fault) {
      return fault.what();
    }
  }
  return {};
}

std::size_t sites_in_source() {
  std::ifstream file(WEFT_SOURCE_DIR "/model/kernels/cuda/paged_attention.cu");
  std::stringstream text;
  text << file.rdbuf();
  const std::string source = text.str();
  const std::regex site(R"(WEFT_(WARP_BARRIER|BARRIER|GUARD)\()");
  return static_cast<std::size_t>(std::distance(std::sregex_iterator(source.begin(), source.end(), site), {}));
}

TEST(PagedAttentionMutation, EveryBarrierAndGuardIsNeeded) {
  cuda_on_cpu::forget_sites();
  ASSERT_EQ(what_goes_wrong(), "");
  const std::vector<Site> sites = cuda_on_cpu::sites_seen();
  ASSERT_EQ(sites.size(), sites_in_source()) << "a barrier or guard that no problem comes by, or two in one line";
  for (const Site& site : sites) {
    cuda_on_cpu::leave_out(site);
    const std::string what = what_goes_wrong();
    EXPECT_NE(what, "") << "nobody notices that line " << site.line << " is missing";
    RecordProperty("without_line_" + std::to_string(site.line), what);
  }
  cuda_on_cpu::leave_out({});
}

// The threads of a right kernel may run in any order.
TEST(PagedAttentionMutation, BackwardsIsTheSame) {
  cuda_on_cpu::set_order(cuda_on_cpu::Order::kBackward);
  EXPECT_EQ(what_goes_wrong(), "");
  cuda_on_cpu::set_order(cuda_on_cpu::Order::kForward);
}

}  // namespace
}  // namespace weft::model::cuda
