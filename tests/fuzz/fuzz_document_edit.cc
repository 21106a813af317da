// A document and any series of edits, in each encoding: the text stays UTF-8, an edit puts its text where the offsets
// say, and positions and offsets are each other's inverse.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/document_store.h"
#include "model/base/check.h"
#include "model/base/utf8.h"

namespace {

using weft::lsp::PositionEncoding;

// Reads the input byte by byte; zeros after its end.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  std::uint8_t next() { return at_ < size_ ? data_[at_++] : 0; }
  [[nodiscard]] bool left() const { return at_ < size_; }
  std::string text(std::size_t count) {
    constexpr std::string_view kCharacters[] = {"a", "\n", "\r", "\r\n", "\t", "ä", "€", "𝕏", "\xF0\x9F\x98\x80", " "};
    std::string out;
    for (std::size_t i = 0; i < count && left(); ++i) out += kCharacters[next() % std::size(kCharacters)];
    return out;
  }
  weft::lsp::Position position() {
    const std::uint32_t line = next() % 16U;
    return {line, next() % 32U};
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
};

void check_inverse(std::string_view text, PositionEncoding encoding) {
  for (std::size_t offset = 0; offset <= text.size(); ++offset) {
    if (weft::utf8_floor(text, offset) != offset) continue;
    const bool inside = offset > 0 && offset < text.size() && text[offset - 1] == '\r' && text[offset] == '\n';
    const std::size_t back = offset_of(text, position_of(text, offset, encoding), encoding);
    WEFT_CHECK(back == (inside ? offset - 1 : offset));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const auto encoding = static_cast<PositionEncoding>(input.next() % 3);
  weft::lsp::DocumentStore store;
  store.set_encoding(encoding);
  WEFT_CHECK(store.open({"file:///a", "", 0, input.text(input.next())}).has_value());
  for (std::int64_t version = 1; input.left() && version < 64; ++version) {
    const weft::lsp::Document& document = *store.find("file:///a");
    const auto before = document.text;
    const weft::lsp::ContentChange change{weft::lsp::Range{input.position(), input.position()},
                                          input.text(input.next() % 16)};
    const std::size_t begin = offset_of(*before, change.range->start, encoding);
    const std::size_t end = offset_of(*before, change.range->end, encoding);
    const bool done = store.change({"file:///a", version, {change}}).has_value();
    WEFT_CHECK(done == (begin <= end));
    if (!done) return 0;
    WEFT_CHECK(*document.text == before->substr(0, begin) + change.text + before->substr(end));
    WEFT_CHECK(weft::is_valid_utf8(*document.text));
  }
  check_inverse(*store.find("file:///a")->text, encoding);
  return 0;
}
