#include "model/tokenizer/bpe_vocabulary.h"

#include <algorithm>
#include <optional>

#include "model/base/utf8.h"
#include "model/tokenizer/byte_letters.h"

namespace weft::model {
namespace {

// <0x00> to <0xFF>, as byte fallback names its tokens.
std::optional<unsigned char> fallback_byte(std::string_view token) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  const std::size_t high = kDigits.find(token[3]), low = kDigits.find(token[4]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
}

// The one character that `token` is.
std::optional<char32_t> single_character(std::string_view token) {
  if (token.empty()) return std::nullopt;
  const Utf8Character character = utf8_at(token, 0);
  if (!character.valid || character.bytes != token.size()) return std::nullopt;
  return character.code;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\n\r\v\f") == std::string_view::npos; }

class Builder {
 public:
  explicit Builder(const BpeDefinition& definition) : definition_(definition), tokens_(definition.tokens) {}

  Expected<BpeVocabulary> build() {
    if (auto done = index_tokens(); !done) return done.error();
    if (auto done = place_added(); !done) return done.error();
    if (auto done = read_merges(); !done) return done.error();
    mark_controls();
    add_merges();
    if (auto done = read_bytes(); !done) return done.error();
    return std::move(out_);
  }

 private:
  struct Merge {
    std::int32_t left, right, result;
  };

  [[nodiscard]] std::int32_t find(std::string_view text) const {
    const auto found = ids_.find(text);
    return found == ids_.end() ? BpeVocabulary::kNone : found->second;
  }

  Expected<void> index_tokens() {
    if (std::cmp_greater(tokens_.size(), kMostTokens)) {
      return make_error("{} has {} tokens, at most {} are read", definition_.origin, tokens_.size(), kMostTokens);
    }
    ids_.reserve(tokens_.size());
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (tokens_[id].empty()) continue;
      const auto [place, is_new] = ids_.try_emplace(tokens_[id], static_cast<std::int32_t>(id));
      if (!is_new) {
        return make_error("{}: tokens {} and {} are both '{}'", definition_.origin, place->second, id, tokens_[id]);
      }
    }
    if (definition_.unknown.empty()) return {};
    out_.unknown = find(definition_.unknown);
    if (out_.unknown != BpeVocabulary::kNone) return {};
    const auto is_it = [&](const AddedToken& token) { return token.text == definition_.unknown; };
    const auto added = std::find_if(definition_.added.begin(), definition_.added.end(), is_it);
    if (added == definition_.added.end()) {
      return make_error("{}: the unknown token '{}' is not in the vocabulary", definition_.origin, definition_.unknown);
    }
    if (added->id >= 0 && added->id < kMostTokens) out_.unknown = static_cast<std::int32_t>(added->id);
    return {};
  }

  Expected<void> place_added() {
    for (const AddedToken& token : definition_.added) {
      if (token.id < 0 || token.id >= kMostTokens) {
        return make_error("{}: added token '{}' has id {}, expected 0 to {}", definition_.origin, token.text, token.id,
                          kMostTokens - 1);
      }
      if (token.text.empty()) return make_error("{}: added token {} is empty", definition_.origin, token.id);
      const auto id = static_cast<std::size_t>(token.id);
      if (id >= tokens_.size()) tokens_.resize(id + 1);
      if (const std::int32_t other = find(token.text); other != BpeVocabulary::kNone && other != token.id) {
        return make_error("{}: '{}' is token {} and added token {}", definition_.origin, token.text, other, token.id);
      }
      if (!tokens_[id].empty() && tokens_[id] != token.text) {
        return make_error("{}: id {} is token '{}' and added token '{}'", definition_.origin, id, tokens_[id],
                          token.text);
      }
      tokens_[id] = token.text;
      ids_.try_emplace(token.text, static_cast<std::int32_t>(id));
    }
    return {};
  }

  Expected<void> read_merges() {
    merges_.reserve(definition_.merges.size());
    for (const auto& [left, right] : definition_.merges) {
      const Merge merge = {find(left), find(right), find(left + right)};
      for (const auto& [id, text] : {std::pair(merge.left, left), {merge.right, right}, {merge.result, left + right}}) {
        if (id == BpeVocabulary::kNone) {
          return make_error("{}: merge {} is of '{}' and '{}', but '{}' is not in the vocabulary", definition_.origin,
                            merges_.size(), left, right, text);
        }
      }
      merges_.push_back(merge);
    }
    return {};
  }

  // Added tokens are control tokens, but for those that are text: runs of blanks; single bytes that the vocabulary
  // lacks; and where the vocabulary itself has them, as in models that come from SentencePiece's user-defined pieces.
  [[nodiscard]] bool is_literal(const AddedToken& token) const {
    if (token.special || !token.exact || looks_like_control(token.text)) return false;
    const bool in_vocabulary = std::cmp_less(token.id, definition_.tokens.size()) &&
                               definition_.tokens[static_cast<std::size_t>(token.id)] == token.text;
    return is_blank(token.text) || (in_vocabulary && !definition_.byte_level);
  }
  [[nodiscard]] bool is_byte(const AddedToken& token) const {
    const auto character = single_character(token.text);
    return definition_.byte_level && !token.special && character && byte_of_letter(*character).has_value();
  }

  void mark_control(std::size_t id) {
    is_control_[id] = true;
    out_.controls.emplace(tokens_[id], static_cast<std::int32_t>(id));
  }

  void mark_controls() {
    is_control_.assign(tokens_.size(), false);
    is_literal_.assign(tokens_.size(), false);
    for (const AddedToken& token : definition_.added) {
      if (!is_byte(token) && !is_literal(token)) mark_control(static_cast<std::size_t>(token.id));
    }
    std::vector<ByteTrie::Entry> literals;
    for (const AddedToken& token : definition_.added) {
      const auto id = static_cast<std::size_t>(token.id);
      if (is_byte(token) || is_control_[id] || is_literal_[id]) continue;
      is_literal_[id] = true;
      literals.push_back({token.text, static_cast<std::int32_t>(id)});
    }
    out_.literals = ByteTrie(std::move(literals));
    if (definition_.unmerged_is_control) mark_unmerged();
  }

  void mark_unmerged() {
    std::vector<bool> merged(tokens_.size(), false);
    for (const Merge& merge : merges_) merged[static_cast<std::size_t>(merge.result)] = true;
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (!tokens_[id].empty() && !merged[id] && !is_literal_[id] && !single_character(tokens_[id])) mark_control(id);
    }
  }

  // Neither what is no text nor what stands for something else than its own name is merged, whatever the file says.
  [[nodiscard]] bool is_mergeable(std::int32_t id) const {
    const auto index = static_cast<std::size_t>(id);
    const bool is_fallback = definition_.byte_fallback && fallback_byte(tokens_[index]);
    return !is_control_[index] && id != out_.unknown && !is_fallback;
  }

  void add_merges() {
    out_.merges = BpeMerges(merges_.size());
    for (const Merge& merge : merges_) {
      if (is_mergeable(merge.left) && is_mergeable(merge.right) && is_mergeable(merge.result)) {
        out_.merges.add(merge.left, merge.right, merge.result);
      }
    }
  }

  Expected<void> read_bytes() {
    out_.byte_ids.fill(BpeVocabulary::kNone);
    out_.bytes.resize(tokens_.size());
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (!is_control_[id] && std::cmp_not_equal(id, out_.unknown) && !tokens_[id].empty()) read_token(id);
    }
    const auto known = 256 - std::count(out_.byte_ids.begin(), out_.byte_ids.end(), BpeVocabulary::kNone);
    if (definition_.byte_fallback && known != 256) {
      return make_error("{} has {} byte tokens, expected 256: without byte fallback it cannot hold every text",
                        definition_.origin, known);
    }
    return {};
  }

  void read_token(std::size_t id) {
    const std::string& token = tokens_[id];
    const auto value = static_cast<std::int32_t>(id);
    std::string& bytes = out_.bytes[id];
    if (definition_.byte_level && !is_literal_[id]) {
      const auto text = bytes_of_letters(token);
      bytes = text ? *text : token;  // what is not written in letters never comes from text
      if (!text) return;
      if (text->size() == 1) out_.byte_ids[static_cast<unsigned char>(text->front())] = value;
      if (definition_.ignore_merges) out_.words.emplace(*text, value);
      return;
    }
    if (const auto byte = definition_.byte_fallback ? fallback_byte(token) : std::nullopt) {
      out_.byte_ids[*byte] = value;
      bytes = static_cast<char>(*byte);
      return;
    }
    bytes = definition_.marks_spaces ? replaced(token, kSpaceMarkBytes, " ") : token;
    if (is_literal_[id]) return;
    if (const auto character = single_character(token)) out_.characters.emplace(*character, value);
    if (definition_.ignore_merges) out_.words.emplace(token, value);
  }

  const BpeDefinition& definition_;
  std::vector<std::string> tokens_;  // by id, added ones too
  IdsByText ids_;
  std::vector<Merge> merges_;
  std::vector<bool> is_control_, is_literal_;  // by id
  BpeVocabulary out_;
};

}  // namespace

Expected<BpeVocabulary> BpeVocabulary::make(const BpeDefinition& definition) { return Builder(definition).build(); }

bool looks_like_control(std::string_view token) {
  const auto between = [&](std::string_view begin, std::string_view end) {
    return token.size() > begin.size() + end.size() && token.starts_with(begin) && token.ends_with(end);
  };
  constexpr std::array<std::string_view, 6> kNames = {"▁<PRE>", "▁<SUF>",          "▁<MID>",
                                                      "▁<EOT>", "<start_of_turn>", "<end_of_turn>"};
  return between("<|", "|>") || between("<｜", "｜>") || between("<fim_", ">") || between("<fim-", ">") ||
         std::find(kNames.begin(), kNames.end(), token) != kNames.end();
}

}  // namespace weft::model
