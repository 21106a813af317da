#include "generation/completion/prompt.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "generation/completion/fim_prompt.h"
#include "generation/completion/open_end.h"
#include "generation/memory/lines.h"

namespace weft::generation {
namespace {

constexpr std::array<std::size_t, 3> kLineSteps = {32, 8, 1};  // the biggest that fits moves the window least often
constexpr std::size_t kIncrementLines = 8;                     // that the middle token may stand before the cursor's
constexpr std::size_t kTokenStep = 64;                         // for lines longer than the whole budget
constexpr std::size_t kLineTokens = 32;
constexpr std::size_t kByteStep = 2048;
constexpr std::size_t kBytesPerToken = 12;  // more than a tokenizer of code reaches on average

bool continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// What of the text before the cursor is looked at: more than fits, and with a calm start of its own, so that what the
// screen sees at the beginning does not change at each key.
struct Piece {
  std::size_t begin = 0;
  std::size_t first_line = 0;  // number of the line at `begin`, from the file's start
  bool at_line = true;         // `begin` is where that line begins
};

Piece near_piece(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return {};
  std::size_t begin = (text.size() - bytes + kByteStep - 1) / kByteStep * kByteStep;
  while (begin < text.size() && continuation(text[begin])) ++begin;
  const auto lines = [text](std::size_t from, std::size_t to) {
    return static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(from),
                                               text.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
  };
  const std::size_t number = lines(0, begin);
  const std::size_t newline = text.find('\n', begin);
  if (newline == std::string_view::npos) return {begin, number, false};
  return {newline + 1, number + 1, true};
}

struct Line {
  std::size_t begin;
  std::size_t number;
};

std::vector<Line> line_starts(std::string_view text, const Piece& piece) {
  std::vector<Line> lines;
  std::size_t number = piece.first_line;
  if (piece.at_line) lines.push_back({0, number});
  for (std::size_t i = text.find('\n'); i != std::string_view::npos; i = text.find('\n', i + 1)) {
    lines.push_back({i + 1, ++number});
  }
  return lines;
}

// The cursor's line is counted as if it were longer, so that a key in it seldom moves the window.
std::size_t calm_count(std::size_t tokens, std::size_t budget) {
  const std::size_t rounded = (tokens / kLineTokens + 1) * kLineTokens;
  return rounded * 2 <= budget ? rounded : tokens;
}

// Where the window starts: the longest that starts at a multiple of one of the steps and fits.
std::size_t window_start(std::string_view text, const std::vector<Line>& lines, std::size_t budget,
                         const model::Tokenizer& tokenizer) {
  if (lines.empty()) return 0;
  std::vector<std::size_t> tokens_after(lines.size() + 1, 0);
  std::size_t first_fitting = lines.size();
  for (std::size_t i = lines.size(); i-- > 0;) {
    const std::size_t end = i + 1 < lines.size() ? lines[i + 1].begin : text.size();
    const std::size_t own = tokenizer.encode(text.substr(lines[i].begin, end - lines[i].begin)).size();
    tokens_after[i] = tokens_after[i + 1] + (i + 1 == lines.size() ? calm_count(own, budget) : own);
    if (tokens_after[i] > budget) break;
    first_fitting = i;
  }
  for (const std::size_t step : kLineSteps) {
    for (std::size_t i = first_fitting; i < lines.size(); ++i) {
      // A window of less than half the budget is not worth a calm start: try a smaller step.
      const bool enough = step == 1 || lines[i].number == 0 || tokens_after[i] * 2 >= budget;
      if (lines[i].number % step == 0 && enough) return lines[i].begin;
    }
  }
  return lines.back().begin;
}

struct Encoding {
  const model::Tokenizer& tokenizer;
  bool starts_prefix;  // FimFormat's
};

// The cursor's line is encoded apart, so that typing changes no token before it. It takes the line ends before it
// along: tokenizers of code have tokens of a line end and its indentation.
std::vector<TokenId> encode_window(std::string_view window, const Encoding& encoding) {
  const model::Tokenizer& tokenizer = encoding.tokenizer;
  const auto first = [&](std::string_view text) {
    return encoding.starts_prefix ? tokenizer.encode_start(text) : tokenizer.encode(text);
  };
  std::size_t cut = window.rfind('\n');
  if (cut == std::string_view::npos) return first(window);
  while (cut > 0 && window[cut - 1] == '\n') --cut;
  std::vector<TokenId> tokens = first(window.substr(0, cut));
  const std::vector<TokenId> line = tokenizer.encode(window.substr(cut));
  tokens.insert(tokens.end(), line.begin(), line.end());
  return tokens;
}

// The text near the cursor as the model may see it.
struct Sides {
  Piece piece;  // where `before` begins
  std::string before, after;
  bool after_is_cut = false;
};

// A key may stand across the cursor, so the screen sees both sides as one. Where it changes lengths, nobody knows what
// became of the cursor, and each side is screened apart.
Expected<Sides> screened_sides(const PromptSource& source, const PromptBudget& room, const Screen& screen) {
  Sides sides;
  sides.piece = near_piece(source.before, room.total_tokens * kBytesPerToken + kByteStep);
  std::size_t end = std::min(source.after.size(), room.suffix_tokens * kBytesPerToken);
  while (end > 0 && end < source.after.size() && continuation(source.after[end])) --end;
  sides.after_is_cut = end < source.after.size();
  sides.before = with_lf(source.before.substr(sides.piece.begin));
  sides.after = with_lf(source.after.substr(0, end));
  const auto both = screen(source.path, sides.before + sides.after);
  if (!both) return both.error();
  if (both->size() == sides.before.size() + sides.after.size()) {
    sides.after = both->substr(sides.before.size());
    sides.before = both->substr(0, sides.before.size());
    return sides;
  }
  for (std::string* side : {&sides.before, &sides.after}) {
    auto text = screen(source.path, *side);
    if (!text) return text.error();
    *side = std::move(*text);
  }
  return sides;
}

// The text before the cursor; its last lines apart where the format wants them behind the middle token.
struct PrefixTokens {
  std::vector<TokenId> old;
  std::optional<std::vector<TokenId>> increment;
};

// Those from the last line on whose number is a multiple, or the cursor's own line; none where that is long itself.
std::optional<std::size_t> increment_begin(std::string_view text, const std::vector<Line>& lines, std::size_t start,
                                           std::size_t budget, const model::Tokenizer& tokenizer) {
  if (lines.empty() || lines.back().begin < start) return std::nullopt;
  const auto fits = [&](std::size_t begin) { return tokenizer.encode(text.substr(begin)).size() * 2 <= budget; };
  for (auto line = lines.rbegin(); line != lines.rend() && line->begin > start; ++line) {
    if (line->number % kIncrementLines != 0) continue;
    if (fits(line->begin)) return line->begin;
    break;
  }
  return fits(lines.back().begin) ? std::optional(lines.back().begin) : std::nullopt;
}

PrefixTokens prefix_tokens(const Sides& sides, std::size_t budget, const model::FimFormat& format,
                           const model::Tokenizer& tokenizer) {
  const std::string_view text = sides.before;
  const std::vector<Line> lines = line_starts(text, sides.piece);
  const std::size_t start = window_start(text, lines, budget, tokenizer);
  PrefixTokens out;
  std::size_t end = text.size();
  if (format.increment_after_middle) {
    if (const auto begin = increment_begin(text, lines, start, budget, tokenizer)) {
      end = *begin;
      out.increment = encode_window(text.substr(end), {tokenizer, false});
    }
  }
  out.old = encode_window(text.substr(start, end - start), {tokenizer, format.starts_prefix});
  const std::size_t room = budget - std::min(budget, out.increment ? out.increment->size() : 0);
  if (out.old.size() > room) {
    const std::size_t step = std::min(kTokenStep, std::max<std::size_t>(room / 2, 1));
    const std::size_t cut = std::min((out.old.size() - room + step - 1) / step * step, out.old.size());
    out.old.erase(out.old.begin(), out.old.begin() + static_cast<std::ptrdiff_t>(cut));
  }
  return out;
}

// The beginning of the text after the cursor, cut after a whole line unless that leaves little.
std::vector<TokenId> suffix_tokens(const Sides& sides, std::size_t budget, const model::Tokenizer& tokenizer) {
  std::vector<TokenId> tokens = tokenizer.encode(sides.after);
  if (tokens.size() <= budget && !sides.after_is_cut) return tokens;
  tokens.resize(std::min(tokens.size(), budget));
  const std::string kept = tokenizer.decode(tokens);
  const std::size_t line_end = kept.rfind('\n');
  if (line_end == std::string::npos || line_end * 2 < kept.size()) return tokens;
  return tokenizer.encode(std::string_view(kept).substr(0, line_end + 1));
}

}  // namespace

Expected<Prompt> build_prompt(const PromptSource& source, const PromptBudget& budget, const PromptModel& model,
                              const Screen& screen) {
  constexpr std::size_t kControlTokens = 4;  // bos and the three of fim
  const auto& [config, tokenizer, prefix_trie] = model;
  Prompt prompt;
  if (config.bos >= 0) prompt.tokens.emplace_back(config.bos);
  const bool infill = config.fim.available();
  // What the suffix leaves free is left free: a window that depends on it would move with every edit behind the cursor.
  const std::size_t for_suffix = infill && !source.after.empty() ? budget.suffix_tokens : 0;
  const std::size_t reserved = kControlTokens + for_suffix;
  const std::size_t room = budget.total_tokens > reserved ? budget.total_tokens - reserved : 1;
  const auto sides = screened_sides(source, {room, for_suffix}, screen);
  if (!sides) return sides.error();
  PrefixTokens prefix = prefix_tokens(*sides, room, config.fim, tokenizer);
  const std::vector<TokenId> whole_prefix = prefix.old;
  std::vector<TokenId>& typed = prefix.increment ? *prefix.increment : prefix.old;
  prompt.opening = take_open_end(typed, sides->before, tokenizer, prefix_trie);
  FimParts parts{.repository = std::string(source.repository),
                 .context = {source.context.begin(), source.context.end()},
                 .path = std::string(source.told_path),
                 .prefix = std::move(prefix.old)};
  if (prefix.increment) parts.increment = std::move(*prefix.increment);
  if (!infill) {
    prompt.tokens.insert(prompt.tokens.end(), parts.prefix.begin(), parts.prefix.end());
    if (prompt.tokens.empty()) return Prompt{whole_prefix, {}};  // a prompt has a token
    return prompt;
  }
  parts.suffix = suffix_tokens(*sides, for_suffix, tokenizer);
  const auto laid_out = lay_out(parts, config.fim, tokenizer);
  if (!laid_out) return laid_out.error();
  prompt.tokens.insert(prompt.tokens.end(), laid_out->begin(), laid_out->end());
  return prompt;
}

std::vector<TokenId> stop_tokens(const model::ModelConfig& config, const model::Tokenizer& tokenizer) {
  std::vector<TokenId> stops;
  const auto add = [&stops](TokenId id) {
    if (std::ranges::find(stops, id) == stops.end()) stops.push_back(id);
  };
  for (const std::int32_t id : config.eos) add(TokenId(id));
  std::vector<std::string> names = config.fim.stops;
  names.insert(names.end(), {config.fim.prefix, config.fim.suffix, config.fim.middle});
  for (const std::string& name : names) {
    if (name.empty()) continue;
    if (auto id = tokenizer.control(name)) add(*id);
  }
  return stops;
}

}  // namespace weft::generation
