#include "generation/memory/file_memory.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "generation/memory/lines.h"
#include "generation/privacy/secrets.h"
#include "model/base/check.h"

namespace weft::generation {
namespace {

struct Sides {
  std::string before, after;
};

// A key may stand across the cursor, so both sides are masked as one.
Sides masked_sides(const FilePlace& place, std::size_t side_bytes) {
  WEFT_CHECK(place.cursor <= place.text.size());
  std::size_t begin = place.cursor - std::min(place.cursor, side_bytes);
  std::size_t end = std::min(place.text.size() - place.cursor, side_bytes) + place.cursor;
  // Whole lines, so that typing seldom moves either end.
  if (begin > 0) begin = std::min(place.text.find('\n', begin), place.cursor);
  if (end < place.text.size()) end = std::max(place.text.rfind('\n', end - 1), place.cursor);
  const std::string before = with_lf(place.text.substr(begin, place.cursor - begin));
  std::string both = mask_secrets(before + with_lf(place.text.substr(place.cursor, end - place.cursor))).text;
  Sides sides{"", both.substr(before.size())};
  both.resize(before.size() - std::min(before.size(), place.opening));
  sides.before = std::move(both);
  return sides;
}

}  // namespace

FileMemory::FileMemory(std::shared_ptr<const model::Tokenizer> tokenizer, FileMemoryLimits limits)
    : tokenizer_(std::move(tokenizer)), limits_(limits), index_(limits.index) {}

std::shared_ptr<const SuffixPlaces> FileMemory::update(const FilePlace& place) {
  const Sides sides = is_secret_file(place.path) ? Sides{} : masked_sides(place, limits_.side_bytes);
  std::vector<std::string_view> texts = cut_lines(sides.before);
  const std::size_t before = texts.size();
  const std::vector<std::string_view> after = cut_lines(sides.after);
  texts.insert(texts.end(), after.begin(), after.end());

  // The same lines at both ends are where they were.
  const auto same = [](const std::unique_ptr<Line>& line, std::string_view text) { return line->text == text; };
  const auto heads = static_cast<std::ptrdiff_t>(std::min(before, before_));
  const std::size_t head = static_cast<std::size_t>(
      std::mismatch(lines_.begin(), lines_.begin() + heads, texts.begin(), same).first - lines_.begin());
  const auto tails = static_cast<std::ptrdiff_t>(std::min(texts.size() - before, lines_.size() - before_));
  const std::size_t tail = static_cast<std::size_t>(
      std::mismatch(lines_.rbegin(), lines_.rbegin() + tails, texts.rbegin(), same).first - lines_.rbegin());
  const std::size_t kept_from = lines_.size() - tail;
  const auto at = [this](std::size_t i) { return lines_.begin() + static_cast<std::ptrdiff_t>(i); };
  Lines middle =
      reuse({texts.begin() + static_cast<std::ptrdiff_t>(head), texts.end() - static_cast<std::ptrdiff_t>(tail)},
            {head, kept_from});
  lines_.erase(at(head), at(kept_from));
  lines_.insert(at(head), std::move_iterator(middle.begin()), std::move_iterator(middle.end()));
  before_ = before;

  for (std::size_t i = head; i < lines_.size(); ++i) {
    std::vector<TokenId> context = context_of(i, i < before ? 0 : before);
    const bool known = lines_[i]->id != 0 && lines_[i]->context == context;
    if (!known) put(*lines_[i], std::move(context));
    // Behind a line of the tail that follows what it followed, all do.
    if (known && i + tail >= lines_.size() && i > before) break;
  }
  return index_.snapshot();
}

std::size_t FileMemory::bytes() const {
  std::size_t sum = index_.bytes();
  for (const auto& line : lines_) {
    sum +=
        sizeof(Line) + line->text.capacity() + (line->tokens.capacity() + line->context.capacity()) * sizeof(TokenId);
  }
  return sum;
}

std::unique_ptr<FileMemory::Line> FileMemory::encode(std::string_view text) const {
  auto line = std::make_unique<Line>();
  line->text = text;
  line->tokens = tokenizer_->encode(text);
  return line;
}

FileMemory::Lines FileMemory::reuse(const std::vector<std::string_view>& texts, Range old) {
  std::unordered_multimap<std::string_view, std::size_t> there;
  for (std::size_t i = old.end; i-- > old.begin;) there.emplace(lines_[i]->text, i);
  Lines out;
  out.reserve(texts.size());
  for (const std::string_view text : texts) {
    const auto found = there.find(text);
    if (found == there.end()) {
      out.push_back(encode(text));
      continue;
    }
    const std::size_t index = found->second;
    there.erase(found);  // before its key goes
    out.push_back(std::move(lines_[index]));
  }
  for (const auto& [text, i] : there) index_.remove_text(lines_[i]->id);
  return out;
}

void FileMemory::put(Line& line, std::vector<TokenId> context) {
  line.context = std::move(context);
  if (line.id == 0) line.id = ++last_id_;
  std::vector<TokenId> tokens = line.context;
  tokens.insert(tokens.end(), line.tokens.begin(), line.tokens.end());
  index_.set_text(line.id, tokens, line.context.size());
}

std::vector<TokenId> FileMemory::context_of(std::size_t index, std::size_t first) const {
  const std::size_t wanted = limits_.index.longest_match;
  std::size_t from = index, found = 0;
  while (from > first && found < wanted) found += lines_[--from]->tokens.size();
  std::vector<TokenId> out;
  out.reserve(found);
  for (; from < index; ++from) out.insert(out.end(), lines_[from]->tokens.begin(), lines_[from]->tokens.end());
  if (out.size() > wanted) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(wanted));
  return out;
}

}  // namespace weft::generation
