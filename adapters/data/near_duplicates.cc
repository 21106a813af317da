#include "adapters/data/near_duplicates.h"

#include <limits>

#include "model/base/check.h"
#include "model/base/hash.h"

namespace weft::adapters {
namespace {

constexpr std::size_t kShingle = 5;  // tokens
constexpr std::uint32_t kEmpty = std::numeric_limits<std::uint32_t>::max();

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c < 0;
}

// Calls `use` with the hash of each token: a word, or one other character that is no white space.
template <class Use>
void for_each_token(std::string_view text, const Use& use) {
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t begin = i;
    while (i < text.size() && is_word(text[i])) ++i;
    if (i > begin) {
      use(mix64(fnv1a(text.substr(begin, i - begin))));
      continue;
    }
    const auto c = static_cast<std::uint8_t>(text[i++]);
    if (c > ' ') use(mix64(c));
  }
}

// Bins that no shingle fell into copy a bin chosen by a hash of theirs alone, so that two equal sets stay equal.
void densify(NearDuplicates::Signature& signature) {
  const NearDuplicates::Signature filled = signature;
  for (std::size_t bin = 0; bin < signature.size(); ++bin) {
    for (std::uint64_t attempt = 1; signature[bin] == kEmpty; ++attempt) {
      signature[bin] = filled[mix64(bin * 0x10001 + attempt * 0x9e3779b1) % filled.size()];
    }
  }
}

}  // namespace

NearDuplicates::Signature NearDuplicates::signature_of(std::string_view text) {
  Signature signature;
  signature.fill(kEmpty);
  std::array<std::uint64_t, kShingle> last{};
  std::size_t count = 0;
  const auto add = [&] {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < kShingle; ++i) hash = mix64(hash ^ last[(count + i) % kShingle]);
    const auto value = static_cast<std::uint32_t>(hash & 0x7fffffff);
    std::uint32_t& bin = signature[(hash >> 32) % kHashes];
    if (value < bin) bin = value;
  };
  for_each_token(text, [&](std::uint64_t token) {
    last[count++ % kShingle] = token;
    if (count >= kShingle) add();
  });
  if (count < kShingle) add();  // a short text is one shingle
  densify(signature);
  return signature;
}

std::optional<std::size_t> NearDuplicates::find_or_add(const Signature& signature) {
  std::array<std::uint64_t, kBands> keys{};
  for (std::size_t band = 0; band < kBands; ++band) {
    keys[band] = mix64(band + 1);
    for (std::size_t row = 0; row < kRows; ++row) keys[band] = mix64(keys[band] ^ signature[band * kRows + row]);
    const auto found = bands_.find(keys[band]);
    if (found == bands_.end()) continue;
    for (const std::uint32_t other : found->second) {
      std::size_t equal = 0;
      for (std::size_t i = 0; i < kHashes; ++i) equal += kept_[other][i] == signature[i] ? 1 : 0;
      if (static_cast<double>(equal) >= min_similarity_ * static_cast<double>(kHashes)) return other;
    }
  }
  const std::size_t index = kept_.size();
  WEFT_CHECK(index < kEmpty);
  kept_.push_back(signature);
  for (const std::uint64_t key : keys) bands_[key].push_back(static_cast<std::uint32_t>(index));
  return std::nullopt;
}

}  // namespace weft::adapters
