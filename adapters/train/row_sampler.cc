#include "adapters/train/row_sampler.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "model/base/check.h"

namespace weft::adapters {
namespace {

constexpr std::size_t kShortestPiece = 32;  // less context than this teaches little; the row's rest stays empty
constexpr std::size_t kCutGrowth = 12;  // a cut piece grows by its four control tokens and by those that the cuts break

// The whole characters of a text whose ends may be inside of one.
std::string_view whole_characters(std::string_view text) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  while (!text.empty() && continues(text.front())) text.remove_prefix(1);
  std::size_t lead = text.size();
  while (lead > 0 && continues(text[lead - 1])) --lead;
  if (lead == 0) return text;
  const auto first = static_cast<unsigned char>(text[lead - 1]);
  const std::size_t wanted = first < 0x80U ? 1 : first < 0xE0U ? 2 : first < 0xF0U ? 3 : 4;
  return text.size() - (lead - 1) < wanted ? text.substr(0, lead - 1) : text;
}

}  // namespace

void append_piece(RowBatch& batch, std::int64_t document, const std::vector<TokenId>& tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool last = i + 1 == tokens.size();
    batch.ids.push_back(tokens[i].value());
    batch.positions.push_back(static_cast<std::int64_t>(i));
    batch.documents.push_back(document);
    batch.targets.push_back(last ? RowBatch::kIgnored : std::int64_t{tokens[i + 1].value()});
    batch.scored += last ? 0 : 1;
  }
}

void pad_row(RowBatch& batch, TokenId filler) {
  for (std::int64_t position = 0; batch.ids.size() < batch.rows * batch.length; ++position) {
    batch.ids.push_back(filler.value());
    batch.positions.push_back(position);
    batch.documents.push_back(-1);
    batch.targets.push_back(RowBatch::kIgnored);
  }
}

RowSampler::RowSampler(const IndexedDataset& data, const model::Tokenizer& tokenizer, const FimTokens& control,
                       const RowSamplerOptions& options, RowSamplerState state)
    : data_(data), tokenizer_(tokenizer), control_(control), options_(options), state_(state) {
  WEFT_CHECK(data.total_tokens() > 0);
  cut_into_chunks();
  shuffle();
}

// Chunks begin at a line where the last quarter of the one before holds a line's begin, as prompts do.
void RowSampler::cut_into_chunks() {
  std::vector<bool> begins_line(tokenizer_.vocabulary());
  for (std::size_t id = 0; id < begins_line.size(); ++id) {
    begins_line[id] = tokenizer_.bytes(TokenId(static_cast<std::int32_t>(id))).starts_with('\n');
  }
  const std::size_t longest =
      std::max(options_.row_tokens - std::min(options_.row_tokens / 2, kCutGrowth), kShortestPiece);
  for (std::size_t document = 0; document < data_.documents(); ++document) {
    const std::span<const std::uint16_t> tokens = data_.tokens(document);
    for (std::size_t begin = 0; begin < tokens.size();) {
      std::size_t end = std::min(begin + longest, tokens.size());
      if (end < tokens.size()) {
        std::size_t line = end;
        while (line > begin + longest * 3 / 4 && !begins_line[tokens[line]]) --line;
        if (begins_line[tokens[line]]) end = line;
      }
      if (tokens.size() - end < kShortestPiece) end = std::min(tokens.size(), begin + longest);
      chunks_.push_back({static_cast<std::uint32_t>(document), static_cast<std::uint32_t>(begin),
                         static_cast<std::uint32_t>(end - begin)});
      begin = end;
    }
  }
}

void RowSampler::shuffle() {
  order_.resize(chunks_.size());
  std::iota(order_.begin(), order_.end(), 0U);
  Random random(options_.seed, 0x0DDE5U, state_.epoch);
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.below(i)]);
}

void RowSampler::advance(std::size_t tokens) {
  state_.token += tokens;
  if (state_.token < chunks_[order_[state_.chunk]].tokens) return;
  state_.token = 0;
  if (++state_.chunk < order_.size()) return;
  state_.chunk = 0;
  ++state_.epoch;
  shuffle();
}

std::vector<TokenId> RowSampler::infilled(const std::vector<TokenId>& plain, std::size_t room, Random& random) const {
  std::string decoded = tokenizer_.decode(plain);  // the end-of-text token has no bytes
  const std::string_view text = whole_characters(decoded);
  const Cut cut = choose_cut(text, random);
  const FimOrder order = random.uniform() < options_.spm_rate ? FimOrder::kSuffixFirst : FimOrder::kPrefixFirst;
  return fim_sequence(text, cut, order, room, tokenizer_, control_);
}

std::vector<TokenId> RowSampler::piece(std::size_t room) {
  const Chunk& chunk = chunks_[order_[state_.chunk]];
  Random random(options_.seed, state_.epoch, order_[state_.chunk], state_.token);
  const std::size_t left = chunk.tokens - state_.token;
  const bool cut = left >= kShortestPiece && random.uniform() < options_.fim_rate;
  const std::size_t take = std::min(left, cut ? room - std::min(room / 2, kCutGrowth) : room);
  std::vector<TokenId> plain;
  plain.reserve(take);
  for (const std::uint16_t id : data_.tokens(chunk.document).subspan(chunk.begin + state_.token, take)) {
    plain.emplace_back(id);
  }
  std::vector<TokenId> out = cut ? infilled(plain, room, random) : plain;
  // The few tokens that would be left of a chunk say nothing alone.
  advance(left - take < kShortestPiece ? left : take);
  return out.empty() ? plain : out;
}

RowBatch RowSampler::next(std::size_t rows) {
  RowBatch batch;
  batch.length = options_.row_tokens;
  std::int64_t document = 0;
  for (batch.rows = 1; batch.rows <= rows; ++batch.rows) {
    const std::size_t end = batch.rows * batch.length;
    while (end - batch.ids.size() >= kShortestPiece) append_piece(batch, document++, piece(end - batch.ids.size()));
    pad_row(batch, control_.end);
  }
  batch.rows = rows;
  return batch;
}

}  // namespace weft::adapters
