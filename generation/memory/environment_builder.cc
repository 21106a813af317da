#include "generation/memory/environment_builder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <queue>
#include <utility>

#include <nlohmann/json.hpp>

#include "model/base/check.h"
#include "model/base/mmap.h"
#include "model/base/unique_fd.h"

namespace weft::generation {
namespace {

constexpr std::size_t kHeadTokens = 4;

// A place with the first tokens of what it is sorted by as one number.
struct Placed {
  std::uint64_t head = 0;
  std::uint32_t place = 0;
};

// `last`: a token of a text, with an kEndOfText somewhere before it.
std::uint64_t head_of(const std::uint16_t* last) {
  std::uint64_t head = 0;
  bool ended = false;
  for (std::size_t i = 0; i < kHeadTokens; ++i) {
    ended = ended || *(last - i) == kEndOfText;
    head = (head << 16) | (ended ? kEndOfText : *(last - i));
  }
  return head;
}

bool before(const Placed& a, const Placed& b, const std::uint16_t* text) {
  if (a.head != b.head) return a.head < b.head;
  const std::uint16_t *left = text + a.place, *right = text + b.place;
  for (std::size_t i = 0; i < kEnvironmentMatch; ++i, --left, --right) {
    if (*left != *right) return *left < *right;
    if (*left == kEndOfText) break;
  }
  return a.place < b.place;
}

Signpost signpost_of(const std::uint16_t* last) {
  Signpost post;
  bool ended = false;
  for (std::size_t i = 0; i < post.key.size(); ++i) {
    ended = ended || *(last - i) == kEndOfText;
    post.key[i] = ended ? kEndOfText : *(last - i);
  }
  post.next = *(last + 1);
  return post;
}

std::string table_of(const EnvironmentTable& table) {
  nlohmann::json json = {{"packages", nlohmann::json::array()}, {"files", nlohmann::json::array()}};
  for (const EnvironmentPackage& package : table.packages) {
    json["packages"].push_back({package.name, package.version, package.licence});
  }
  for (const EnvironmentFile& file : table.files) json["files"].push_back({file.begin, file.package, file.path});
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

// Appends to a file of its owner's, a block at a time.
class FileWriter {
 public:
  explicit FileWriter(std::string path) : path_(std::move(path)) {
    file_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file_.valid()) fail();
  }
  void append(std::span<const std::byte> bytes) {
    held_.insert(held_.end(), bytes.begin(), bytes.end());
    written_ += bytes.size();
    if (held_.size() >= kHeld) flush();
  }
  template <class T>
  void append(std::span<const T> values) {
    append(std::as_bytes(values));
  }
  void fill_page() { append(std::vector<std::byte>(page_rest())); }
  // Over what is there already.
  void put(std::size_t at, std::span<const std::byte> bytes) {
    flush();
    if (ok() && ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at)) !=
                    static_cast<ssize_t>(bytes.size())) {
      fail();
    }
  }
  void flush() {
    for (std::size_t done = 0; ok() && done < held_.size();) {
      const ssize_t got = ::write(file_.get(), held_.data() + done, held_.size() - done);
      if (got < 0 && errno != EINTR) fail();
      if (got > 0) done += static_cast<std::size_t>(got);
    }
    held_.clear();
  }
  void sync() {
    flush();
    if (ok() && ::fsync(file_.get()) != 0) fail();
  }
  [[nodiscard]] bool ok() const { return error_.empty(); }
  [[nodiscard]] Expected<void> result() const {
    if (ok()) return {};
    return make_error("cannot write {}: {}", path_, error_);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  static constexpr std::size_t kHeld = std::size_t{1} << 20;
  void fail() { error_ = std::strerror(errno); }
  [[nodiscard]] std::size_t page_rest() const {
    const std::size_t over = written_ % EnvironmentHeader::kBytes;
    return over == 0 ? 0 : EnvironmentHeader::kBytes - over;
  }

  std::string path_, error_;
  UniqueFd file_;
  std::vector<std::byte> held_;
  std::size_t written_ = 0;
};

struct EnvironmentBuilder::State {
  State(std::string path, std::size_t part) : out(path), places(path + ".places"), part_tokens(part) {
    out.append(std::vector<std::byte>(EnvironmentHeader::kBytes));
  }
  ~State() { ::unlink(places.path().c_str()); }

  void sort_part();
  Expected<void> merge(const CancelFlag& cancel);

  FileWriter out, places;
  std::size_t part_tokens;
  std::vector<std::uint16_t> part;     // the text from part_begin on
  std::size_t part_begin = 0;          // tokens
  std::vector<std::size_t> part_ends;  // places of all parts up to each
  EnvironmentTable table;
  std::vector<Signpost> signposts;
};

void EnvironmentBuilder::State::sort_part() {
  std::vector<Placed> sorted;
  sorted.reserve(part.size());
  for (std::size_t i = 1; i + 1 < part.size(); ++i) {
    if (part[i] == kEndOfText || part[i + 1] == kEndOfText) continue;
    sorted.push_back({head_of(part.data() + i), static_cast<std::uint32_t>(i)});
  }
  std::ranges::sort(sorted, [this](const Placed& a, const Placed& b) { return before(a, b, part.data()); });
  std::vector<std::uint32_t> order(sorted.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    order[i] = sorted[i].place + static_cast<std::uint32_t>(part_begin);
  }
  places.append(std::span<const std::uint32_t>(order));
  part_ends.push_back((part_ends.empty() ? 0 : part_ends.back()) + order.size());
  part_begin += part.size();
  part.clear();
}

// Of the sorted parts one order, as blocks.
Expected<void> EnvironmentBuilder::State::merge(const CancelFlag& cancel) {
  places.flush();
  if (!places.ok()) return places.result();
  out.flush();
  if (!out.ok()) return out.result();
  const auto text_file = MappedFile::open(out.path()), order_file = MappedFile::open(places.path());
  if (!text_file) return text_file.error();
  if (!order_file) return order_file.error();
  const auto* text = reinterpret_cast<const std::uint16_t*>(text_file->bytes().data() + EnvironmentHeader::kBytes);
  const auto* order = reinterpret_cast<const std::uint32_t*>(order_file->bytes().data());

  struct Front : Placed {
    std::size_t at = 0, end = 0;  // in the order
  };
  const auto behind = [text](const Front& a, const Front& b) { return before(b, a, text); };
  std::priority_queue<Front, std::vector<Front>, decltype(behind)> fronts(behind);
  const auto push = [&](std::size_t at, std::size_t end) {
    if (at < end) fronts.push({{head_of(text + order[at]), order[at]}, at, end});
  };
  for (std::size_t i = 0; i < part_ends.size(); ++i) push(i == 0 ? 0 : part_ends[i - 1], part_ends[i]);

  PlaceBlock block;
  std::size_t filled = 0;
  const auto write_block = [&] {
    out.append(std::as_bytes(std::span(&block, 1)));
    block = {};
    filled = 0;
  };
  while (!fronts.empty()) {
    const Front front = fronts.top();
    fronts.pop();
    push(front.at + 1, front.end);
    if (filled == 0) signposts.push_back(signpost_of(text + front.place));
    block.places[filled] = front.place;
    block.nexts[filled] = text[front.place + 1];
    if (++filled < kBlockPlaces) continue;
    write_block();
    if (cancel.cancelled()) return make_error("cancelled");
    if (!out.ok()) return out.result();
  }
  if (filled > 0) write_block();
  return {};
}

EnvironmentBuilder::EnvironmentBuilder(std::unique_ptr<State> state) : state_(std::move(state)) {}
EnvironmentBuilder::EnvironmentBuilder(EnvironmentBuilder&&) noexcept = default;
EnvironmentBuilder& EnvironmentBuilder::operator=(EnvironmentBuilder&&) noexcept = default;
EnvironmentBuilder::~EnvironmentBuilder() = default;

Expected<EnvironmentBuilder> EnvironmentBuilder::create(std::string path, std::size_t part_tokens) {
  auto state = std::make_unique<State>(std::move(path), part_tokens);
  if (!state->out.ok()) return state->out.result().error();
  if (!state->places.ok()) return state->places.result().error();
  return EnvironmentBuilder(std::move(state));
}

Expected<void> EnvironmentBuilder::add(const EnvironmentPackage& package, std::string path,
                                       std::span<const TokenId> tokens) {
  State& state = *state_;
  if (tokens.empty()) return {};
  auto& packages = state.table.packages;
  if (packages.empty() || packages.back().name != package.name) packages.push_back(package);
  state.table.files.push_back({this->tokens() + 1, packages.size() - 1, std::move(path)});
  const std::size_t before = state.part.size();
  state.part.push_back(kEndOfText);
  for (const TokenId token : tokens) {
    WEFT_CHECK(token.value() >= 0 && token.value() < kEndOfText);
    state.part.push_back(static_cast<std::uint16_t>(token.value()));
  }
  state.out.append(std::span<const std::uint16_t>(state.part).subspan(before));
  if (state.part.size() >= state.part_tokens) state.sort_part();
  return state.out.result();
}

std::size_t EnvironmentBuilder::tokens() const { return state_->part_begin + state_->part.size(); }

Expected<void> EnvironmentBuilder::finish(std::uint64_t key, const CancelFlag& cancel) {
  State& state = *state_;
  EnvironmentHeader header;
  header.key = key;
  state.sort_part();
  state.out.append(std::span<const std::uint16_t>(&kEndOfText, 1));
  header.tokens = state.part_begin + 1;
  state.out.fill_page();
  if (auto merged = state.merge(cancel); !merged) return merged;
  header.places = state.part_ends.back();
  const std::string table = table_of(state.table);
  header.table_bytes = table.size();
  std::string held(reinterpret_cast<const char*>(state.signposts.data()), state.signposts.size() * sizeof(Signpost));
  held += table;
  header.held_hash = fnv1a(held);
  header.hash = header.own_hash();
  state.out.append(std::as_bytes(std::span(held)));
  state.out.put(0, std::as_bytes(std::span(&header, 1)));
  state.out.sync();
  return state.out.result();
}

}  // namespace weft::generation
