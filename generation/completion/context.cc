#include "generation/completion/context.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "generation/syntax/names.h"
#include "generation/syntax/node.h"
#include "generation/syntax/tree.h"

namespace weft::generation {
namespace {

constexpr std::size_t kRegionLines = 32;  // above and below the place that the pieces were chosen for
constexpr std::size_t kRegions = 16, kFiles = 32;
constexpr std::size_t kPieceLines = 24;
constexpr std::size_t kFileBytes = 256 << 10;                   // larger files are not looked at
constexpr std::size_t kBytesBefore = 2048, kBytesAfter = 1024;  // that say what is wanted
constexpr std::size_t kLeastName = 3;                           // bytes; shorter names say little
constexpr double kLeastRelevance = 0.1;
constexpr double kDefinedWeight = 0.5, kImportWeight = 0.25, kRecentWeight = 0.25;
constexpr double kSameAsHere = 0.5, kSameAsAnother = 0.9;  // shares of lines in common
constexpr std::array<std::string_view, 4> kImportWords = {"import", "from", "#include", "use"};

using Names = std::vector<std::string>;  // sorted, each once

Names sorted_once(Names names) {
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Names names_in(std::string_view text) {
  Names names;
  each_name(text, [&names](std::string_view name, std::size_t) {
    const bool number = std::isdigit(static_cast<unsigned char>(name.front())) != 0;
    if (name.size() >= kLeastName && !number) names.emplace_back(name);
  });
  return sorted_once(std::move(names));
}

Names lines_in(std::string_view text) {
  Names lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trimmed(text.substr(begin, end - begin));
    if (has_word(line)) lines.emplace_back(line);
    begin = end + 1;
  }
  return sorted_once(std::move(lines));
}

std::size_t common(const Names& a, const Names& b) {
  Names both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  return both.size();
}

double jaccard(const Names& a, const Names& b) {
  const std::size_t shared = common(a, b), all = a.size() + b.size() - shared;
  return all == 0 ? 0 : static_cast<double>(shared) / static_cast<double>(all);
}

std::string_view first_lines(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < count && end < text.size(); ++i)
    end = std::min(text.find('\n', end), text.size() - 1) + 1;
  return text.substr(0, end);
}

// From the beginning of its first line to the end of its last one.
std::string_view whole_lines(std::string_view text, ByteRange range) {
  const std::size_t begin = range.begin == 0 ? 0 : text.rfind('\n', range.begin - 1) + 1;  // npos + 1: the beginning
  const std::size_t end = std::min(text.find('\n', range.end), text.size() - 1) + 1;
  return text.substr(begin, end - begin);
}

ContextPiece piece_of(std::string_view file, std::string_view text, Names defined) {
  const std::string_view kept = first_lines(text, kPieceLines);
  return {std::string(kept), static_cast<std::size_t>(text.data() - file.data()), sorted_once(std::move(defined)),
          names_in(kept)};
}

// A definition may stand behind its decorators.
Node definition_of(const Node& node) {
  const Node inner = node.field("definition");
  return inner.null() ? node : inner;
}

Names defined_by(const Node& node, std::string_view text) {
  const Node name = definition_of(node).field("name");
  return name.null() ? Names{} : Names{std::string(name.text(text))};
}

// Definitions are pieces of their own, what stands between them goes together; a long one goes part by part.
void add_pieces(const Node& parent, std::string_view text, std::size_t depth, std::vector<ContextPiece>& pieces) {
  std::optional<ByteRange> loose;
  const auto flush = [&] {
    if (loose) pieces.push_back(piece_of(text, whole_lines(text, *loose), {}));
    loose.reset();
  };
  for (std::size_t i = 0; i < parent.named_children(); ++i) {
    const Node child = parent.named_child(i);
    Names defined = defined_by(child, text);
    if (defined.empty()) {
      const std::size_t begin = loose ? loose->begin : child.begin();
      const std::string_view together = text.substr(begin, child.end() - begin);
      if (loose && std::ranges::count(together, '\n') >= static_cast<std::ptrdiff_t>(kPieceLines)) flush();
      loose = ByteRange{loose ? loose->begin : child.begin(), child.end()};
      continue;
    }
    flush();
    const Node body = definition_of(child).field("body");
    const bool parts = depth == 0 && child.last_row() - child.first_row() >= kPieceLines && body.named_children() > 1;
    pieces.push_back(piece_of(text, whole_lines(text, child.range()), std::move(defined)));
    if (parts) add_pieces(body, text, depth + 1, pieces);
  }
  flush();
}

struct Wanted {
  Names names, lines, imports;
};

Wanted wanted_at(const CursorPlace& place) {
  const std::string_view before =
      place.before.substr(place.before.size() - std::min(place.before.size(), kBytesBefore));
  const std::string_view after = place.after.substr(0, kBytesAfter);
  Wanted wanted;
  std::string near(before);
  near += after;
  wanted.names = names_in(near);
  wanted.lines = lines_in(near);
  for (const std::string& line : lines_in(place.before)) {
    const auto imports = [&line](std::string_view word) { return line.starts_with(word); };
    if (!std::ranges::any_of(kImportWords, imports)) continue;
    const Names names = names_in(line);
    wanted.imports.insert(wanted.imports.end(), names.begin(), names.end());
  }
  wanted.imports = sorted_once(std::move(wanted.imports));
  return wanted;
}

// "a/b.py" is imported as b, "a/b/__init__.py" too.
std::string module_of(std::string_view path) {
  const auto last_part = [](std::string_view some) { return some.substr(some.find_last_of('/') + 1); };
  const std::string_view name = last_part(path);
  const std::string_view stem = name.substr(0, name.find('.'));
  if (stem != "__init__" || path.size() == name.size()) return std::string(stem);
  return std::string(last_part(path.substr(0, path.size() - name.size() - 1)));
}

struct Scored {
  double relevance = 0;
  const ContextPiece* piece = nullptr;
  const OpenDocument* document = nullptr;
};

double relevance_of(const ContextPiece& piece, const OpenDocument& document, const Wanted& wanted, bool latest) {
  double relevance = jaccard(piece.used, wanted.names);
  relevance += kDefinedWeight * static_cast<double>(std::min<std::size_t>(common(piece.defined, wanted.names), 2));
  if (std::ranges::binary_search(wanted.imports, module_of(document.path))) relevance += kImportWeight;
  const bool edited = document.last_edit > 0 && document.edited_at >= piece.begin &&
                      document.edited_at <= piece.begin + piece.text.size();
  if (edited && latest) relevance += kRecentWeight;
  return relevance;
}

}  // namespace

std::string told_path(std::string_view path, std::string_view root) {
  if (!root.empty() && path.starts_with(root)) path.remove_prefix(root.size());
  return std::string(path.substr(std::min(path.find_first_not_of('/'), path.size())));
}

std::vector<ContextPiece> pieces_of(std::string_view path, std::string_view language, std::string_view text) {
  std::vector<ContextPiece> pieces;
  if (text.empty()) return pieces;
  const auto tree = SyntaxTree::parse(language_for(language, path), text);
  if (tree) {
    add_pieces(tree->root(), text, 0, pieces);
    return pieces;
  }
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view lines = first_lines(rest, kPieceLines);
    pieces.push_back(piece_of(text, lines, {}));
    rest.remove_prefix(lines.size());
  }
  return pieces;
}

std::shared_ptr<const ContextKeeper::File> ContextKeeper::file_of(const OpenDocument& document, const Screen& screen) {
  const auto found = std::ranges::find_if(
      files_, [&](const auto& file) { return file->path == document.path && file->text == document.text; });
  if (found != files_.end()) {
    files_.splice(files_.begin(), files_, found);
    return files_.front();
  }
  auto file = std::make_shared<File>(File{document.path, document.text, {}});
  if (document.text->size() <= kFileBytes) {
    const auto allowed = screen(document.path, *document.text);
    if (allowed) file->pieces = pieces_of(document.path, document.language, *allowed);
  }
  std::erase_if(files_, [&](const auto& other) { return other->path == document.path; });
  files_.push_front(file);
  if (files_.size() > kFiles) files_.pop_back();
  return file;
}

ContextKeeper::Region ContextKeeper::choose(const CompletionRequest& request, const CursorPlace& place,
                                            std::size_t budget_tokens, const model::Tokenizer& tokenizer,
                                            const Screen& screen) {
  const Wanted wanted = wanted_at(place);
  std::uint64_t latest = 0;
  for (const OpenDocument& document : request.others) latest = std::max(latest, document.last_edit);
  std::vector<std::shared_ptr<const File>> files;  // hold the pieces
  std::vector<Scored> scored;
  for (const OpenDocument& document : request.others) {
    if (document.text == nullptr || document.path == request.document.path) continue;
    files.push_back(file_of(document, screen));
    for (const ContextPiece& piece : files.back()->pieces) {
      if (jaccard(lines_in(piece.text), wanted.lines) > kSameAsHere) continue;
      const double relevance = relevance_of(piece, document, wanted, document.last_edit == latest);
      if (relevance >= kLeastRelevance) scored.push_back({relevance, &piece, &document});
    }
  }
  std::ranges::stable_sort(scored, std::ranges::greater(), &Scored::relevance);
  Region region;
  std::vector<Names> taken;
  for (const Scored& each : scored) {
    FimFile file{told_path(each.document->path, request.root), each.piece->text};
    const Names lines = lines_in(file.text);
    const auto same = [&lines](const Names& other) { return jaccard(lines, other) > kSameAsAnother; };
    if (std::ranges::any_of(taken, same)) continue;
    const std::size_t tokens = tokenizer.encode(file.path).size() + tokenizer.encode(file.text).size() + 2;
    if (tokens > budget_tokens) continue;
    budget_tokens -= tokens;
    taken.push_back(lines);
    region.chosen.push_back(std::move(file));
    region.sources.push_back(each.document->text);
  }
  std::ranges::reverse(region.chosen);  // the most relevant is the nearest
  return region;
}

std::vector<FimFile> ContextKeeper::context_at(const CompletionRequest& request, const CursorPlace& place,
                                               std::size_t budget_tokens, const model::Tokenizer& tokenizer,
                                               const Screen& screen) {
  if (request.others.empty() || budget_tokens == 0) return {};
  const std::string key = request.session + '\n' + request.document.path;
  const auto line = static_cast<std::size_t>(std::ranges::count(place.before, '\n'));
  const auto unchanged = [&request](const std::shared_ptr<const std::string>& source) {
    return std::ranges::any_of(request.others, [&source](const OpenDocument& other) { return other.text == source; });
  };
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(regions_, key, &Region::key);
  if (found != regions_.end()) {
    regions_.splice(regions_.begin(), regions_, found);
    const std::size_t moved = std::max(line, found->line) - std::min(line, found->line);
    if (moved <= kRegionLines && std::ranges::all_of(found->sources, unchanged)) return found->chosen;
    regions_.pop_front();
  }
  Region region = choose(request, place, budget_tokens, tokenizer, screen);
  region.key = key;
  region.line = line;
  regions_.push_front(std::move(region));
  if (regions_.size() > kRegions) regions_.pop_back();
  return regions_.front().chosen;
}

}  // namespace weft::generation
