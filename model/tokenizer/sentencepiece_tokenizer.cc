#include <sentencepiece_processor.h>

#include <array>
#include <cstdio>

#include "model/base/mmap.h"
#include "model/base/utf8.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::model {
namespace {

constexpr char32_t kSpaceMark = 0x2581;  // what SentencePiece writes for a space
constexpr std::string_view kSpaceMarkBytes = "\xE2\x96\x81";

// A normalizer_spec (field 3 of a ModelProto) that, appended to the serialised model, is merged into the model's own:
// precompiled_charsmap "", add_dummy_prefix false, remove_extra_whitespaces false, escape_whitespaces true.
// Code must come back byte by byte, whatever the model was trained to normalise.
constexpr std::string_view kExactNormalizer("\x1A\x08\x12\x00\x18\x00\x20\x00\x28\x01", 10);

std::string unescape(std::string_view piece) {
  std::string out;
  for (std::size_t at = 0; at < piece.size();) {
    if (piece.substr(at).starts_with(kSpaceMarkBytes)) {
      out += ' ';
      at += kSpaceMarkBytes.size();
    } else {
      out += piece[at++];
    }
  }
  return out;
}

class SentencePieceTokenizer final : public Tokenizer {
 public:
  Expected<void> load(const std::string& path) {
    const Expected<MappedFile> file = MappedFile::open(path);
    if (!file) return file.error();
    const auto raw = file->bytes();
    std::string model(reinterpret_cast<const char*>(raw.data()), raw.size());
    model += kExactNormalizer;
    const auto status = processor_.LoadFromSerializedProto(model);
    if (!status.ok() || processor_.GetPieceSize() == 0) {
      return make_error("{} is not a SentencePiece model ({} bytes)", path, raw.size());
    }
    return read_pieces(path);
  }

  [[nodiscard]] std::size_t vocabulary() const override { return bytes_.size(); }

  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const override {
    std::vector<TokenId> ids;
    std::size_t begin = 0;  // of the run that SentencePiece can take as it is
    for (std::size_t at = 0; at < text.size();) {
      const Utf8Character character = utf8_at(text, at);
      if (!character.valid || character.code == kSpaceMark) {
        encode_run(text.substr(begin, at - begin), ids);
        for (std::size_t i = 0; i < character.bytes; ++i) ids.push_back(byte_ids_[byte_at(text, at + i)]);
        begin = at + character.bytes;
      }
      at += character.bytes;
    }
    encode_run(text.substr(begin), ids);
    return ids;
  }

  [[nodiscard]] std::string_view bytes(TokenId id) const override {
    const auto index = static_cast<std::size_t>(id.value());
    return id.value() >= 0 && index < bytes_.size() ? std::string_view(bytes_[index]) : std::string_view();
  }

  [[nodiscard]] std::optional<TokenId> control(std::string_view name) const override {
    const int id = processor_.PieceToId(name);
    if (!processor_.IsControl(id) || processor_.IdToPiece(id) != name) return std::nullopt;
    return TokenId(id);
  }

 private:
  static std::size_t byte_at(std::string_view text, std::size_t offset) {
    return static_cast<unsigned char>(text[offset]);
  }

  void encode_run(std::string_view run, std::vector<TokenId>& ids) const {
    if (run.empty()) return;
    std::vector<int> pieces;
    const auto status = processor_.Encode(run, &pieces);
    WEFT_CHECK(status.ok());  // a loaded model encodes any valid UTF-8
    for (const int piece : pieces) ids.emplace_back(piece);
  }

  Expected<void> read_pieces(const std::string& path) {
    const int count = processor_.GetPieceSize();
    std::size_t byte_pieces = 0;
    bytes_.reserve(static_cast<std::size_t>(count));
    for (int id = 0; id < count; ++id) {
      const std::string& piece = processor_.IdToPiece(id);
      if (processor_.IsByte(id)) {
        unsigned value = 0;
        if (std::sscanf(piece.c_str(), "<0x%2X>", &value) != 1) {
          return make_error("{}: byte token {} is named '{}', expected <0x00> to <0xFF>", path, id, piece);
        }
        byte_ids_[value] = TokenId(id);
        bytes_.emplace_back(1, static_cast<char>(value));
        ++byte_pieces;
      } else if (processor_.IsControl(id) || processor_.IsUnknown(id)) {
        bytes_.emplace_back();
      } else {
        bytes_.push_back(unescape(piece));
      }
    }
    if (byte_pieces != byte_ids_.size()) {
      return make_error("{} has {} byte tokens, expected 256: without byte fallback it cannot hold every text", path,
                        byte_pieces);
    }
    return {};
  }

  sentencepiece::SentencePieceProcessor processor_;
  std::vector<std::string> bytes_;  // by id
  std::array<TokenId, 256> byte_ids_{};
};

}  // namespace

Expected<std::shared_ptr<const Tokenizer>> load_sentencepiece(const std::string& path) {
  auto tokenizer = std::make_shared<SentencePieceTokenizer>();
  if (const Expected<void> loaded = tokenizer->load(path); !loaded) return loaded.error();
  return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

}  // namespace weft::model
