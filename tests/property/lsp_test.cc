// Random edits in the three encodings against a plain reference, and frames at any split.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "lsp/document_store.h"
#include "lsp/frame.h"

namespace weft::lsp {
namespace {

// The reference works on code points, and knows no bytes until the end.
using Text = std::u32string;

std::string to_utf8(const Text& text) {
  std::string out;
  for (const char32_t c : text) {
    const auto put = [&](char32_t bits) { out += static_cast<char>(static_cast<unsigned char>(bits)); };
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put(0xC0 | (c >> 6));
      put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      put(0xE0 | (c >> 12));
      put(0x80 | ((c >> 6) & 0x3F));
      put(0x80 | (c & 0x3F));
    } else {
      put(0xF0 | (c >> 18));
      put(0x80 | ((c >> 12) & 0x3F));
      put(0x80 | ((c >> 6) & 0x3F));
      put(0x80 | (c & 0x3F));
    }
  }
  return out;
}

std::uint32_t width(char32_t c, PositionEncoding encoding) {
  switch (encoding) {
    case PositionEncoding::kUtf8:
      return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    case PositionEncoding::kUtf16:
      return c < 0x10000 ? 1 : 2;
    case PositionEncoding::kUtf32:
      return 1;
  }
  return 1;
}

bool ends_line(const Text& text, std::size_t i) {
  return text[i] == U'\n' || (text[i] == U'\r' && (i + 1 == text.size() || text[i + 1] != U'\n'));
}

// Where the protocol puts the character at `index`; `index` is not between \r and \n.
Position reference_position(const Text& text, std::size_t index, PositionEncoding encoding) {
  Position position;
  for (std::size_t i = 0; i < index; ++i) {
    if (ends_line(text, i)) {
      ++position.line;
      position.character = 0;
    } else if (text[i] != U'\r') {
      position.character += width(text[i], encoding);
    }
  }
  return position;
}

// The first place, in reading order, that the position cannot be before.
std::size_t reference_index(const Text& text, Position position, PositionEncoding encoding) {
  std::size_t begin = 0;
  for (std::uint32_t line = 0; line < position.line; ++line) {
    while (begin < text.size() && !ends_line(text, begin)) ++begin;
    if (begin == text.size()) return begin;
    ++begin;
  }
  std::uint32_t passed = 0;
  std::size_t i = begin;
  while (i < text.size() && text[i] != U'\n' && text[i] != U'\r') {
    passed += width(text[i], encoding);
    if (passed > position.character) break;
    ++i;
  }
  return i;
}

rc::Gen<Text> any_text() {
  return rc::gen::container<Text>(
      rc::gen::element<char32_t>(U'a', U'b', U' ', U'\n', U'\r', U'ä', U'€', U'\U0001D54F', U'\U0001F600', U'\u0301'));
}

rc::Gen<PositionEncoding> any_encoding() {
  return rc::gen::element(PositionEncoding::kUtf8, PositionEncoding::kUtf16, PositionEncoding::kUtf32);
}

// Also outside of the text.
rc::Gen<Position> any_position() {
  return rc::gen::apply(
      [](std::uint32_t line, std::uint32_t character) {
        return Position{line, character};
      },
      rc::gen::inRange<std::uint32_t>(0, 8), rc::gen::inRange<std::uint32_t>(0, 20));
}

bool between_cr_and_lf(const Text& text, std::size_t i) {
  return i > 0 && i < text.size() && text[i - 1] == U'\r' && text[i] == U'\n';
}

RC_GTEST_PROP(Positions, AreTheReferencesInEveryEncoding, ()) {
  const Text text = *any_text();
  const PositionEncoding encoding = *any_encoding();
  const std::string bytes = to_utf8(text);
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (between_cr_and_lf(text, i)) continue;
    const std::size_t offset = to_utf8(text.substr(0, i)).size();
    const Position position = reference_position(text, i, encoding);
    RC_ASSERT(position_of(bytes, offset, encoding) == position);
    RC_ASSERT(offset_of(bytes, position, encoding) == offset);
  }
}

RC_GTEST_PROP(Positions, AnyPositionIsClampedLikeTheReference, ()) {
  const Text text = *any_text();
  const PositionEncoding encoding = *any_encoding();
  const Position position = *any_position();
  const std::size_t expected = to_utf8(text.substr(0, reference_index(text, position, encoding))).size();
  RC_ASSERT(offset_of(to_utf8(text), position, encoding) == expected);
}

RC_GTEST_PROP(Documents, FollowAnySeriesOfEdits, ()) {
  const PositionEncoding encoding = *any_encoding();
  Text text = *any_text();
  DocumentStore store;
  store.set_encoding(encoding);
  RC_ASSERT(store.open({"file:///a", "", 0, to_utf8(text)}).has_value());
  std::int64_t version = 0;
  const int messages = *rc::gen::inRange(1, 5);
  for (int message = 0; message < messages; ++message) {
    DidChangeParams params{"file:///a", ++version, {}};
    const int changes = *rc::gen::inRange(1, 5);
    for (int change = 0; change < changes; ++change) {
      const Text inserted = *any_text();
      if (*rc::gen::inRange(0, 8) == 0) {
        params.changes.push_back({std::nullopt, to_utf8(inserted)});
        text = inserted;
        continue;
      }
      Position first = *any_position(), second = *any_position();
      std::size_t begin = reference_index(text, first, encoding), end = reference_index(text, second, encoding);
      if (end < begin) {
        std::swap(first, second);
        std::swap(begin, end);
      }
      params.changes.push_back({Range{first, second}, to_utf8(inserted)});
      text = text.substr(0, begin) + inserted + text.substr(end);
    }
    const auto before = store.find("file:///a")->text;
    const std::string copy = *before;
    RC_ASSERT(store.change(params).has_value());
    RC_ASSERT(*store.find("file:///a")->text == to_utf8(text));
    RC_ASSERT(*before == copy);
  }
}

// Pieces that make both good streams and broken ones.
rc::Gen<std::string> any_piece() {
  return rc::gen::element<std::string>("Content-Length: ", "content-length:", "2", "17", "99999", "-", "\r\n", "\n",
                                       "\r\n\r\n", "{}", "x", ":", "Content-Type: y", encode_frame("{}"),
                                       encode_frame(std::string(30, 'z')), encode_frame(""), std::string(70, 'h'));
}

std::vector<std::string> drain(FrameDecoder& decoder) {
  std::vector<std::string> out;
  while (auto frame = decoder.next()) out.push_back(*frame ? "+" + **frame : "-" + frame->error().message);
  return out;
}

constexpr FrameLimits kSmall = {.header_bytes = 60, .body_bytes = 40};

RC_GTEST_PROP(Frames, DoNotDependOnHowTheStreamIsSplit, ()) {
  std::string stream;
  for (const std::string& piece : *rc::gen::container<std::vector<std::string>>(any_piece())) stream += piece;
  FrameDecoder whole(kSmall), split(kSmall);
  whole.feed(stream);
  const auto expected = drain(whole);
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < stream.size();) {
    const std::size_t count = *rc::gen::inRange<std::size_t>(1, 20);
    split.feed(std::string_view(stream).substr(begin, count));
    begin += count;
    for (std::string& frame : drain(split)) out.push_back(std::move(frame));
  }
  RC_ASSERT(out == expected);
}

RC_GTEST_PROP(Frames, GoodFramesComeThroughAfterGarbageWithoutAColon, ()) {
  const std::string garbage =
      *rc::gen::container<std::string>(rc::gen::element('a', ' ', '\t', '\r', '\0', '\x7f', '{'));
  const auto bodies = *rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::element('{', '}', '"', '\n', '\r', 'c')));
  std::string stream = garbage + "!\n";
  std::vector<std::string> expected;
  for (const std::string& body : bodies) {
    stream += encode_frame(body);
    expected.push_back("+" + body);
  }
  FrameDecoder decoder;
  decoder.feed(stream);
  std::vector<std::string> good;
  for (std::string& frame : drain(decoder)) {
    if (frame.front() == '+') good.push_back(std::move(frame));
  }
  RC_ASSERT(good == expected);
}

}  // namespace
}  // namespace weft::lsp
