// The Tokenizer over a BpeDefinition. Immutable, thread-safe.
#include <algorithm>

#include "model/base/utf8.h"
#include "model/tokenizer/bpe_vocabulary.h"

namespace weft::model {
namespace {

// kExact gives back what went in; the others do what the family does to a text, which begins here or goes on here.
enum class Mode { kExact, kBeginning, kContinued };

class BpeTokenizer final : public Tokenizer {
 public:
  BpeTokenizer(const BpeDefinition& definition, BpeVocabulary vocabulary)
      : vocabulary_(std::move(vocabulary)),
        normalizers_(definition.normalizers),
        splitters_(definition.splitters),
        exact_splitters_(definition.splitters),
        byte_level_(definition.byte_level),
        marks_spaces_(definition.marks_spaces),
        byte_fallback_(definition.byte_fallback),
        fuse_unknown_(definition.fuse_unknown) {
    for (Splitter& step : exact_splitters_) {
      if (step.behavior == SplitBehavior::kRemoved) step.behavior = SplitBehavior::kIsolated;
    }
  }

  [[nodiscard]] std::size_t vocabulary() const override { return vocabulary_.bytes.size(); }
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const override {
    return encode_as(Mode::kExact, text);
  }
  [[nodiscard]] std::vector<TokenId> encode_start(std::string_view text) const override {
    return encode_as(Mode::kBeginning, text);
  }
  [[nodiscard]] std::string_view bytes(TokenId id) const override {
    const auto index = static_cast<std::size_t>(id.value());
    return id.value() >= 0 && index < vocabulary_.bytes.size() ? std::string_view(vocabulary_.bytes[index])
                                                               : std::string_view();
  }
  [[nodiscard]] std::optional<TokenId> control(std::string_view name) const override {
    const auto found = vocabulary_.controls.find(name);
    return found == vocabulary_.controls.end() ? std::nullopt : std::optional(TokenId(found->second));
  }

 private:
  using Symbols = std::vector<std::int32_t>;

  // Invalid bytes stand apart; so do characters that look like the mark of a space and are none.
  [[nodiscard]] std::vector<TokenId> encode_as(Mode mode, std::string_view text) const {
    std::vector<TokenId> ids;
    ids.reserve(text.size() / 3 + 1);
    std::size_t begin = 0;
    const auto finish_run = [&](std::size_t end) {
      if (end > begin) encode_valid(mode, text.substr(begin, end - begin), ids);
      if (end > 0 && mode == Mode::kBeginning) mode = Mode::kContinued;
    };
    for (std::size_t at = 0; at < text.size();) {
      const Utf8Character character = utf8_at(text, at);
      const bool is_foreign_mark = character.code == kSpaceMark && marks_spaces_ && mode == Mode::kExact;
      if (!character.valid || is_foreign_mark) {
        finish_run(at);
        Symbols symbols;
        add_bytes(text.substr(at, character.bytes), symbols);
        append(symbols, ids);
        begin = at + character.bytes;
        if (mode == Mode::kBeginning) mode = Mode::kContinued;
      }
      at += character.bytes;
    }
    finish_run(text.size());
    return ids;
  }

  void encode_valid(Mode mode, std::string_view text, std::vector<TokenId>& ids) const {
    const ByteTrie& literals = vocabulary_.literals;
    std::size_t begin = 0;
    for (std::size_t at = 0; !literals.entries().empty() && at < text.size();) {
      const std::size_t found = literals.longest(text.substr(at));
      if (found == literals.entries().size()) {
        ++at;
        continue;
      }
      encode_text(mode, text.substr(begin, at - begin), ids);
      ids.emplace_back(literals.entries()[found].value);
      at += literals.entries()[found].text.size();
      begin = at;
      if (mode == Mode::kBeginning) mode = Mode::kContinued;
    }
    encode_text(mode, text.substr(begin), ids);
  }

  void encode_text(Mode mode, std::string_view text, std::vector<TokenId>& ids) const {
    if (text.empty()) return;
    std::string own;
    if (mode == Mode::kExact) {
      if (marks_spaces_) text = own = replaced(text, " ", kSpaceMarkBytes);
    } else if (!normalizers_.empty()) {
      own = text;
      for (const Normalizer& step : normalizers_) own = normalized(step, std::move(own), mode == Mode::kBeginning);
      text = own;
    }
    Symbols symbols;
    for (const std::string_view piece : split(text, mode == Mode::kExact ? exact_splitters_ : splitters_)) {
      symbols.clear();
      encode_piece(piece, symbols);
      append(symbols, ids);
    }
  }

  void encode_piece(std::string_view piece, Symbols& symbols) const {
    if (!vocabulary_.words.empty()) {
      if (const auto word = vocabulary_.words.find(piece); word != vocabulary_.words.end()) {
        symbols.push_back(word->second);
        return;
      }
    }
    if (byte_level_) {
      add_bytes(piece, symbols);
    } else {
      for (std::size_t at = 0; at < piece.size();) {
        const Utf8Character character = utf8_at(piece, at);
        add_character(character.code, piece.substr(at, character.bytes), symbols);
        at += character.bytes;
      }
    }
    vocabulary_.merges.apply(symbols);
  }

  void add_bytes(std::string_view bytes, Symbols& symbols) const {
    for (const char byte : bytes) {
      const std::int32_t id = vocabulary_.byte_ids[static_cast<unsigned char>(byte)];
      if (id == BpeVocabulary::kNone) {
        add_unknown(symbols);
      } else {
        symbols.push_back(id);
      }
    }
  }

  void add_character(char32_t code, std::string_view bytes, Symbols& symbols) const {
    if (const auto found = vocabulary_.characters.find(code); found != vocabulary_.characters.end()) {
      symbols.push_back(found->second);
    } else if (byte_fallback_) {
      add_bytes(bytes, symbols);
    } else {
      add_unknown(symbols);
    }
  }

  void add_unknown(Symbols& symbols) const {
    if (vocabulary_.unknown == BpeVocabulary::kNone) return;
    if (fuse_unknown_ && !symbols.empty() && symbols.back() == vocabulary_.unknown) return;
    symbols.push_back(vocabulary_.unknown);
  }

  static void append(const Symbols& symbols, std::vector<TokenId>& ids) {
    for (const std::int32_t symbol : symbols) ids.emplace_back(symbol);
  }

  const BpeVocabulary vocabulary_;
  const std::vector<Normalizer> normalizers_;
  const std::vector<Splitter> splitters_;
  std::vector<Splitter> exact_splitters_;  // they take nothing away
  const bool byte_level_, marks_spaces_, byte_fallback_, fuse_unknown_;
};

}  // namespace

Expected<std::shared_ptr<const Tokenizer>> make_bpe(const BpeDefinition& definition) {
  auto vocabulary = BpeVocabulary::make(definition);
  if (!vocabulary) return vocabulary.error();
  return std::shared_ptr<const Tokenizer>(std::make_shared<BpeTokenizer>(definition, *std::move(vocabulary)));
}

}  // namespace weft::model
