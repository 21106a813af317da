#include "model/tokenizer/sentencepiece_proto.h"

#include <bit>
#include <cstdint>

namespace weft::model {
namespace {

// Fields of ModelProto, and of the messages in it.
constexpr std::uint32_t kPieces = 1, kTrainerSpec = 2, kNormalizerSpec = 3;
constexpr std::uint32_t kPieceText = 1, kPieceScore = 2, kPieceType = 3;
constexpr std::uint32_t kModelType = 3, kByteFallback = 35;  // of TrainerSpec
constexpr std::uint32_t kCharsmap = 2, kDummyPrefix = 3, kExtraWhitespaces = 4, kEscapeWhitespaces = 5;

enum class Wire : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  std::uint32_t number = 0;
  Wire wire = Wire::kVarint;
  std::uint64_t value = 0;  // of kVarint
  std::string_view bytes;   // of kBytes; of the fixed ones their 4 or 8
  std::string_view whole;   // with its key
};

class Reader {
 public:
  explicit Reader(std::string_view message) : rest_(message) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  // nullopt: the message is broken.
  std::optional<Field> next() {
    const std::string_view begin = rest_;
    const auto key = varint();
    if (!key || *key >> 3 == 0 || *key >> 3 > 0x1FFFFFFF) return std::nullopt;
    Field field;
    field.number = static_cast<std::uint32_t>(*key >> 3);
    field.wire = static_cast<Wire>(*key & 7);
    std::optional<std::uint64_t> size = 0;
    switch (field.wire) {
      case Wire::kVarint: {
        const auto value = varint();
        if (!value) return std::nullopt;
        field.value = *value;
        break;
      }
      case Wire::kFixed64:
        size = 8;
        break;
      case Wire::kBytes:
        size = varint();
        break;
      case Wire::kFixed32:
        size = 4;
        break;
      default:
        return std::nullopt;
    }
    if (!size || *size > rest_.size()) return std::nullopt;
    field.bytes = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
    field.whole = begin.substr(0, begin.size() - rest_.size());
    return field;
  }

 private:
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  std::string_view rest_;
};

void write_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
void write_key(std::string& out, std::uint32_t number, Wire wire) {
  write_varint(out, std::uint64_t{number} << 3 | static_cast<std::uint64_t>(wire));
}
void write_number(std::string& out, std::uint32_t number, std::uint64_t value) {
  write_key(out, number, Wire::kVarint);
  write_varint(out, value);
}
void write_bytes(std::string& out, std::uint32_t number, std::string_view bytes) {
  write_key(out, number, Wire::kBytes);
  write_varint(out, bytes.size());
  out += bytes;
}
void write_float(std::string& out, std::uint32_t number, float value) {
  write_key(out, number, Wire::kFixed32);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(bits >> shift & 0xFF);
}

std::optional<SentencePieceParts::Piece> read_piece(std::string_view message) {
  SentencePieceParts::Piece piece;
  for (Reader reader(message); !reader.done();) {
    const auto field = reader.next();
    if (!field) return std::nullopt;
    if (field->number == kPieceText && field->wire == Wire::kBytes) piece.text = field->bytes;
    if (field->number == kPieceScore && field->wire == Wire::kFixed32) {
      std::uint32_t bits = 0;
      for (unsigned i = 4; i-- > 0;) bits = bits << 8 | static_cast<unsigned char>(field->bytes[i]);
      piece.score = std::bit_cast<float>(bits);
    }
    if (field->number == kPieceType && field->wire == Wire::kVarint) {
      if (field->value < 1 || field->value > 6) return std::nullopt;
      piece.type = static_cast<PieceType>(field->value);
    }
  }
  return piece;
}

// What is not said counts as SentencePiece has it.
bool normalises_nothing(std::string_view spec) {
  bool charsmap = false, prefix = true, extra = true, escape = true;
  for (Reader reader(spec); !reader.done();) {
    const auto field = reader.next();
    if (!field) return false;
    if (field->number == kCharsmap) charsmap = !field->bytes.empty();
    if (field->number == kDummyPrefix) prefix = field->value != 0;
    if (field->number == kExtraWhitespaces) extra = field->value != 0;
    if (field->number == kEscapeWhitespaces) escape = field->value != 0;
  }
  return !charsmap && !prefix && !extra && escape;
}

std::string normalizer_spec(std::string_view charsmap, bool prefix, bool remove_extra) {
  std::string spec;
  write_bytes(spec, kCharsmap, charsmap);
  write_number(spec, kDummyPrefix, prefix ? 1 : 0);
  write_number(spec, kExtraWhitespaces, remove_extra ? 1 : 0);
  write_number(spec, kEscapeWhitespaces, 1);
  return spec;
}

}  // namespace

std::optional<SentencePieceProto> read_sentencepiece_proto(std::string_view model) {
  SentencePieceProto proto;
  for (Reader reader(model); !reader.done();) {
    const auto field = reader.next();
    if (!field) return std::nullopt;
    if (field->number != kPieces || field->wire != Wire::kBytes) {
      proto.specs += field->whole;
      if (field->number == kNormalizerSpec) proto.is_exact = normalises_nothing(field->bytes);
      continue;
    }
    auto piece = read_piece(field->bytes);
    if (!piece) return std::nullopt;
    proto.pieces.push_back(*std::move(piece));
  }
  if (proto.pieces.empty()) return std::nullopt;
  return proto;
}

SentencePieceProto sentencepiece_proto(const SentencePieceParts& parts) {
  SentencePieceProto proto;
  proto.pieces = parts.pieces;
  bool has_bytes = false;
  for (const auto& piece : parts.pieces) has_bytes |= piece.type == PieceType::kByte;
  std::string trainer;
  write_number(trainer, kModelType, parts.unigram ? 1 : 2);
  write_number(trainer, kByteFallback, has_bytes ? 1 : 0);
  write_bytes(proto.specs, kTrainerSpec, trainer);
  const std::string normalizer =
      normalizer_spec(parts.charsmap, parts.add_dummy_prefix, parts.remove_extra_whitespaces);
  write_bytes(proto.specs, kNormalizerSpec, normalizer);
  proto.is_exact = normalises_nothing(normalizer);
  return proto;
}

std::string serialised(const SentencePieceProto& proto, bool exact) {
  std::string out;
  for (const auto& piece : proto.pieces) {
    std::string message;
    write_bytes(message, kPieceText, piece.text);
    write_float(message, kPieceScore, piece.score);
    write_number(message, kPieceType, static_cast<std::uint64_t>(piece.type));
    write_bytes(out, kPieces, message);
  }
  out += proto.specs;
  // What comes later in a message is merged into what came before.
  if (exact) write_bytes(out, kNormalizerSpec, normalizer_spec("", false, false));
  return out;
}

}  // namespace weft::model
