#include "model/tokenizer/unigram_json.h"

#include <cmath>
#include <limits>

#include "model/tokenizer/json_access.h"
#include "model/tokenizer/sentencepiece.h"

namespace weft::model {
namespace {

using nlohmann::json;

constexpr int kDeepest = 4;  // sequences in sequences

Expected<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0, held = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char letter : text) {
    const std::size_t value = kLetters.find(letter);
    if (value == std::string_view::npos) return make_error("precompiled_charsmap is not base64");
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFF;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(bits >> held & 0xFF);
    }
  }
  return out;
}

// What SentencePiece's normaliser does, from the steps that `tokenizers` writes for it.
Expected<void> read_step(const json& step, SentencePieceParts& parts, int depth) {
  if (step.is_null()) return {};
  if (!step.is_object()) return make_error("a component is {}, expected an object", step.type_name());
  const std::string type = text_of(step, "type");
  if (type == "Sequence" && depth < kDeepest) {
    for (const char* field : {"normalizers", "pretokenizers"}) {
      const auto list = step.find(field);
      if (list == step.end() || !list->is_array()) continue;
      for (const json& item : *list) {
        if (auto done = read_step(item, parts, depth + 1); !done) return done;
      }
    }
    return {};
  }
  if (type == "Precompiled") {
    auto charsmap = from_base64(text_of(step, "precompiled_charsmap"));
    if (!charsmap) return charsmap.error();
    parts.charsmap = *std::move(charsmap);
    return {};
  }
  const auto pattern = step.find("pattern");
  const bool squeezes = type == "Replace" && pattern != step.end() && *pattern == json{{"Regex", " {2,}"}};
  if (squeezes || type == "WhitespaceSplit" || type == "Strip") {
    parts.remove_extra_whitespaces = true;
    return {};
  }
  if (type == "Metaspace") {
    const std::string scheme = text_of(step, "prepend_scheme");
    parts.add_dummy_prefix = scheme.empty() ? flag_of(step, "add_prefix_space", true) : scheme != "never";
    return {};
  }
  return make_error(
      "unknown component '{}' of a Unigram model; weft knows Metaspace, Precompiled, Replace of ' {{2,}}', Sequence, "
      "Strip, WhitespaceSplit",
      type);
}

Expected<void> read_pieces(const json& model, SentencePieceParts& parts) {
  const auto vocabulary = model.find("vocab");
  if (vocabulary == model.end() || !vocabulary->is_array()) return make_error("the model has no list vocab");
  if (std::cmp_greater(vocabulary->size(), kMostTokens)) {
    return make_error("the model has {} tokens, at most {} are read", vocabulary->size(), kMostTokens);
  }
  const auto unknown = model.find("unk_id");
  const bool has_bytes = flag_of(model, "byte_fallback");
  for (const json& entry : *vocabulary) {
    const std::size_t id = parts.pieces.size();
    const bool is_pair = entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_number();
    const double score = is_pair ? entry[1].get<double>() : 0;
    if (!is_pair || !(std::abs(score) < std::numeric_limits<float>::max())) {
      return make_error("token {} is {}, expected a text and its score", id, entry.dump());
    }
    SentencePieceParts::Piece piece{entry[0].get<std::string>(), static_cast<float>(score)};
    if (unknown != model.end() && *unknown == id) {
      piece.type = PieceType::kUnknown;
    } else if (has_bytes && piece.text.size() == 6 && piece.text.starts_with("<0x") && piece.text.ends_with('>')) {
      piece.type = PieceType::kByte;
    }
    parts.pieces.push_back(std::move(piece));
  }
  return {};
}

}  // namespace

Expected<std::shared_ptr<const Tokenizer>> make_unigram(const json& root, const std::vector<AddedToken>& added,
                                                        const std::string& origin) {
  SentencePieceParts parts;
  parts.origin = origin;
  parts.unigram = true;
  parts.add_dummy_prefix = false;
  parts.added = added;
  for (const char* field : {"normalizer", "pre_tokenizer"}) {
    const auto component = root.find(field);
    if (component == root.end()) continue;
    if (auto done = read_step(*component, parts, 0); !done) return make_error("{}: {}", origin, done.error().message);
  }
  if (auto done = read_pieces(root.at("model"), parts); !done) {
    return make_error("{}: {}", origin, done.error().message);
  }
  return make_sentencepiece(parts);
}

}  // namespace weft::model
