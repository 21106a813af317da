// SentencePiece's file format, a protobuf message, as far as weft changes it: the pieces and, unread, all the rest.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/sentencepiece.h"

namespace weft::model {

struct SentencePieceProto {
  std::vector<SentencePieceParts::Piece> pieces;  // by id
  std::string specs;                              // serialised: how it was trained, how it normalises
  bool is_exact = false;                          // it normalises nothing, keeps every space and puts none in front
};

// nullopt: not such a message.
[[nodiscard]] std::optional<SentencePieceProto> read_sentencepiece_proto(std::string_view model);
[[nodiscard]] SentencePieceProto sentencepiece_proto(const SentencePieceParts& parts);
// `exact`: as a model that normalises nothing, whatever the specs say.
[[nodiscard]] std::string serialised(const SentencePieceProto& proto, bool exact);

}  // namespace weft::model
