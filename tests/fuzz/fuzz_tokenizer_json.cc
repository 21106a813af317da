// tokenizer.json from anywhere: an error, or a tokenizer that takes any bytes and, where it has a token for every byte,
// gives them back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/check.h"
#include "model/tokenizer/tokenizer_json.h"

namespace {

using weft::TokenId;
using weft::model::Tokenizer;

void check_ids(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  for (const TokenId id : ids) {
    WEFT_CHECK(id.value() >= 0 && static_cast<std::size_t>(id.value()) < tokenizer.vocabulary());
  }
}

bool holds_every_byte(const Tokenizer& tokenizer) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    if (tokenizer.decode(tokenizer.encode(one)) != one) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto tokenizer = weft::model::parse_tokenizer_json(input, "fuzz");
  if (!tokenizer) {
    WEFT_CHECK(!tokenizer.error().message.empty());
    return 0;
  }
  const std::string text = "ab 12\n<s> \xE2\x96\x81\xFF e\xCC\x81  " + std::string(input.substr(0, 256));
  const std::vector<TokenId> ids = (*tokenizer)->encode(text);
  check_ids(**tokenizer, ids);
  check_ids(**tokenizer, (*tokenizer)->encode_start(text));
  if (holds_every_byte(**tokenizer)) WEFT_CHECK((*tokenizer)->decode(ids) == text);
  return 0;
}
