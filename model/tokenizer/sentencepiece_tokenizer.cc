#include <sentencepiece_processor.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_map>

#include "model/base/utf8.h"
#include "model/tokenizer/sentencepiece.h"
#include "model/tokenizer/sentencepiece_proto.h"

namespace weft::model {
namespace {

using Processor = sentencepiece::SentencePieceProcessor;

// nullptr: SentencePiece refuses it.
std::shared_ptr<const Processor> make_processor(const std::string& model) {
  auto processor = std::make_shared<Processor>();
  const auto status = processor->LoadFromSerializedProto(model);
  if (!status.ok() || processor->GetPieceSize() == 0) return nullptr;
  return processor;
}

class SentencePieceTokenizer final : public Tokenizer {
 public:
  // `proto` has its last control tokens; `added` only those beyond the pieces.
  Expected<void> load(const SentencePieceProto& proto, const std::string& origin) {
    exact_ = make_processor(serialised(proto, true));
    own_ = proto.is_exact ? exact_ : make_processor(serialised(proto, false));
    if (!exact_ || !own_) return make_error("{} is not a SentencePiece model ({} pieces)", origin, proto.pieces.size());
    return read_pieces(proto, origin);
  }

  // Names a control token, one of the pieces or one beyond them.
  void add_control(const std::string& name, std::int64_t id) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= bytes_.size()) bytes_.resize(index + 1);
    controls_.insert_or_assign(name, TokenId(static_cast<std::int32_t>(id)));
  }

  [[nodiscard]] std::size_t vocabulary() const override { return bytes_.size(); }

  // Code must come back byte by byte, whatever the model was trained to normalise.
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const override {
    std::vector<TokenId> ids;
    std::size_t begin = 0;  // of the run that SentencePiece can take as it is
    for (std::size_t at = 0; at < text.size();) {
      const Utf8Character character = utf8_at(text, at);
      if (!character.valid || character.code == kSpaceMark) {
        encode_run(*exact_, text.substr(begin, at - begin), ids);
        for (std::size_t i = 0; i < character.bytes; ++i) ids.push_back(byte_ids_[byte_at(text, at + i)]);
        begin = at + character.bytes;
      }
      at += character.bytes;
    }
    encode_run(*exact_, text.substr(begin), ids);
    return ids;
  }

  // As SentencePiece has it up to the first invalid byte, exact from there on.
  [[nodiscard]] std::vector<TokenId> encode_start(std::string_view text) const override {
    std::vector<TokenId> ids;
    const std::size_t valid = utf8_valid_prefix(text);
    encode_run(*own_, text.substr(0, valid), ids);
    const std::vector<TokenId> rest = encode(text.substr(valid));
    ids.insert(ids.end(), rest.begin(), rest.end());
    return ids;
  }

  [[nodiscard]] std::string_view bytes(TokenId id) const override {
    const auto index = static_cast<std::size_t>(id.value());
    return id.value() >= 0 && index < bytes_.size() ? std::string_view(bytes_[index]) : std::string_view();
  }

  [[nodiscard]] std::optional<TokenId> control(std::string_view name) const override {
    const auto found = controls_.find(std::string(name));
    return found == controls_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  static std::size_t byte_at(std::string_view text, std::size_t offset) {
    return static_cast<unsigned char>(text[offset]);
  }

  static void encode_run(const Processor& processor, std::string_view run, std::vector<TokenId>& ids) {
    if (run.empty()) return;
    std::vector<int> pieces;
    const auto status = processor.Encode(run, &pieces);
    WEFT_CHECK(status.ok());  // a loaded model encodes any valid UTF-8
    for (const int piece : pieces) ids.emplace_back(piece);
  }

  Expected<void> read_pieces(const SentencePieceProto& proto, const std::string& origin) {
    const auto is_unknown = [](const auto& piece) { return piece.type == PieceType::kUnknown; };
    const auto unknown = std::find_if(proto.pieces.begin(), proto.pieces.end(), is_unknown);
    WEFT_CHECK(unknown != proto.pieces.end());  // SentencePiece takes no model without
    byte_ids_.fill(TokenId(static_cast<std::int32_t>(unknown - proto.pieces.begin())));
    for (std::size_t id = 0; id < proto.pieces.size(); ++id) {
      const auto& piece = proto.pieces[id];
      const TokenId token(static_cast<std::int32_t>(id));
      if (piece.type == PieceType::kByte) {
        unsigned value = 0;
        if (std::sscanf(piece.text.c_str(), "<0x%2X>", &value) != 1) {
          return make_error("{}: byte token {} is named '{}', expected <0x00> to <0xFF>", origin, id, piece.text);
        }
        byte_ids_[value] = token;
        bytes_.emplace_back(1, static_cast<char>(value));
      } else if (piece.type == PieceType::kControl || piece.type == PieceType::kUnknown) {
        bytes_.emplace_back();
        if (piece.type == PieceType::kControl) controls_.emplace(piece.text, token);
      } else {
        bytes_.push_back(replaced(piece.text, kSpaceMarkBytes, " "));
      }
    }
    return {};
  }

  std::shared_ptr<const Processor> exact_, own_;  // one and the same where the model itself is exact
  std::vector<std::string> bytes_;                // by id
  std::unordered_map<std::string, TokenId> controls_;
  std::array<TokenId, 256> byte_ids_{};  // the unknown token where there is no byte fallback
};

Expected<std::shared_ptr<const Tokenizer>> make(SentencePieceProto proto, const std::string& origin,
                                                const std::vector<AddedToken>& added) {
  const auto is_piece = [&](const AddedToken& token) { return std::cmp_less(token.id, proto.pieces.size()); };
  const auto to_control = [](SentencePieceParts::Piece& piece) {
    if (piece.type != PieceType::kByte && piece.type != PieceType::kUnknown) piece.type = PieceType::kControl;
  };
  for (auto& piece : proto.pieces) {
    if (looks_like_control(piece.text)) to_control(piece);
  }
  for (const AddedToken& token : added) {
    if (is_piece(token) && token.special) to_control(proto.pieces[static_cast<std::size_t>(token.id)]);
  }
  auto tokenizer = std::make_shared<SentencePieceTokenizer>();
  if (auto loaded = tokenizer->load(proto, origin); !loaded) return loaded.error();
  for (const AddedToken& token : added) {
    const bool is_text =
        is_piece(token) && proto.pieces[static_cast<std::size_t>(token.id)].type != PieceType::kControl;
    if (!is_text) tokenizer->add_control(token.text, token.id);
  }
  return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

}  // namespace

Expected<std::shared_ptr<const Tokenizer>> make_sentencepiece(const SentencePieceParts& parts) {
  return make(sentencepiece_proto(parts), parts.origin, parts.added);
}

Expected<std::shared_ptr<const Tokenizer>> parse_sentencepiece(std::string_view model, const std::string& origin,
                                                               const std::vector<AddedToken>& added) {
  auto proto = read_sentencepiece_proto(model);
  if (!proto) return make_error("{} is not a SentencePiece model ({} bytes)", origin, model.size());
  return make(*std::move(proto), origin, added);
}

}  // namespace weft::model
