#include "tests/support/byte_tokenizer.h"

#include <array>

namespace weft::test {
namespace {

constexpr std::size_t kBytes = 256;
constexpr std::array<std::string_view, ByteTokenizer::kVocabulary - kBytes> kControls = {
    "<|endoftext|>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<fim_pad>", "<file_sep>", "<repo_name>"};

constexpr std::array<char, kBytes> all_bytes() {
  std::array<char, kBytes> out{};
  for (std::size_t i = 0; i < kBytes; ++i) out[i] = static_cast<char>(i);
  return out;
}

constexpr std::array<char, kBytes> kAllBytes = all_bytes();

}  // namespace

std::vector<TokenId> ByteTokenizer::encode(std::string_view text) const {
  std::vector<TokenId> out;
  out.reserve(text.size());
  for (const char byte : text) out.push_back(byte_token(byte));
  return out;
}

std::string_view ByteTokenizer::bytes(TokenId id) const {
  const auto index = static_cast<std::size_t>(id.value());
  return index < kBytes ? std::string_view(&kAllBytes[index], 1) : std::string_view();
}

std::optional<TokenId> ByteTokenizer::control(std::string_view name) const {
  for (std::size_t i = 0; i < kControls.size(); ++i) {
    if (kControls[i] == name) return TokenId(static_cast<std::int32_t>(kBytes + i));
  }
  return std::nullopt;
}

}  // namespace weft::test
