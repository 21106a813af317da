#include "generation/memory/file_memory.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "generation/memory/lines.h"
#include "generation/privacy/secrets.h"
#include "model/base/check.h"

namespace weft::generation {
namespace {

// The parts of the text that are near enough, as one.
struct NearText {
  std::string text;
  std::size_t cursor = 0;
};

NearText near_text(const FilePlace& place, std::size_t side_bytes) {
  WEFT_CHECK(place.cursor <= place.text.size());
  std::size_t begin = place.cursor - std::min(place.cursor, side_bytes);
  std::size_t end = std::min(place.text.size() - place.cursor, side_bytes) + place.cursor;
  // Whole lines, so that typing seldom moves either end.
  if (begin > 0) begin = std::min(place.text.find('\n', begin), place.cursor);
  if (end < place.text.size()) end = std::max(place.text.rfind('\n', end - 1), place.cursor);
  NearText near{with_lf(place.text.substr(begin, place.cursor - begin)), 0};
  near.cursor = near.text.size();
  near.text += with_lf(place.text.substr(place.cursor, end - place.cursor));
  return near;
}

// Bytes that both begin with; whole blocks first, since files are long and a key changes a byte.
std::size_t common_beginning(std::string_view a, std::string_view b) {
  constexpr std::size_t kBlock = 1024;
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t same = 0;
  while (same + kBlock <= most && a.substr(same, kBlock) == b.substr(same, kBlock)) same += kBlock;
  while (same < most && a[same] == b[same]) ++same;
  return same;
}

std::size_t common_end(std::string_view a, std::string_view b) {
  constexpr std::size_t kBlock = 1024;
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t same = 0;
  const auto block = [&same](std::string_view text) { return text.substr(text.size() - same - kBlock, kBlock); };
  while (same + kBlock <= most && block(a) == block(b)) same += kBlock;
  while (same < most && a[a.size() - 1 - same] == b[b.size() - 1 - same]) ++same;
  return same;
}

}  // namespace

FileMemory::FileMemory(std::shared_ptr<const model::Tokenizer> tokenizer, FileMemoryLimits limits)
    : tokenizer_(std::move(tokenizer)), limits_(limits), index_(limits.index) {}

std::shared_ptr<const SuffixPlaces> FileMemory::update(const FilePlace& place) {
  NearText near = is_secret_file(place.path) ? NearText{} : near_text(place, limits_.side_bytes);
  // A key may stand across the cursor, so both sides are masked as one.
  const std::string_view seen = mask(std::move(near.text));
  std::vector<std::string_view> texts = cut_lines(seen.substr(0, near.cursor - std::min(near.cursor, place.opening)));
  const std::size_t before = texts.size();
  const std::vector<std::string_view> after = cut_lines(seen.substr(near.cursor));
  texts.insert(texts.end(), after.begin(), after.end());

  const Range fresh = rearrange(texts, before);
  for (std::size_t i = fresh.begin; i < lines_.size(); ++i) {
    std::vector<TokenId> context = context_of(i, i < before ? 0 : before);
    const bool known = lines_[i]->id != 0 && lines_[i]->context == context;
    if (!known) put(*lines_[i], std::move(context));
    // Behind a line that stayed where it was and follows what it followed, all do.
    if (known && i >= fresh.end && i > before) break;
  }
  return index_.snapshot();
}

FileMemory::Range FileMemory::rearrange(const std::vector<std::string_view>& texts, std::size_t before) {
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
  return {head, lines_.size() - tail};
}

const std::string& FileMemory::mask(std::string text) {
  // Only a private key between its dashes reaches farther than some lines.
  constexpr std::size_t kLinesAround = 32;
  const bool far_reaching = text.find("BEGIN ") != std::string::npos || read_.find("BEGIN ") != std::string::npos;
  std::size_t begin = common_beginning(read_, text);
  const std::size_t end_same = common_end(std::string_view(read_).substr(begin), std::string_view(text).substr(begin));
  std::size_t end = text.size() - end_same;
  for (std::size_t i = 0; i <= kLinesAround && begin > 0; ++i) {
    begin = text.rfind('\n', begin - 1);
    if (begin == std::string::npos) begin = 0;
  }
  for (std::size_t i = 0; i <= kLinesAround && end < text.size(); ++i)
    end = std::min(text.find('\n', end + 1), text.size());
  if (far_reaching) {
    begin = 0;
    end = text.size();
  }
  masked_.replace(begin, masked_.size() - (text.size() - end) - begin,
                  mask_secrets(std::string_view(text).substr(begin, end - begin)).text);
  read_ = std::move(text);
  return masked_;
}

std::size_t FileMemory::bytes() const {
  std::size_t sum = index_.bytes() + read_.capacity() + masked_.capacity();
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
  // Of equal ones the first, so that lines which only moved keep what is before them.
  std::unordered_map<std::string_view, std::vector<std::size_t>> last_first;
  for (std::size_t i = old.end; i-- > old.begin;) last_first[lines_[i]->text].push_back(i);
  Lines out;
  out.reserve(texts.size());
  for (const std::string_view text : texts) {
    const auto found = last_first.find(text);
    if (found == last_first.end() || found->second.empty()) {
      out.push_back(encode(text));
      continue;
    }
    out.push_back(std::move(lines_[found->second.back()]));
    found->second.pop_back();
  }
  for (std::size_t i = old.begin; i < old.end; ++i) {
    if (lines_[i]) index_.remove_text(lines_[i]->id);
  }
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
