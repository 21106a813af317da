#include "generation/completion/result_cache.h"

#include <functional>
#include <unordered_map>
#include <utility>

#include "model/base/utf8.h"

namespace weft::generation {
namespace {

// More than a prompt holds of either side.
constexpr std::size_t kBytesBefore = 2048, kBytesAfter = 1024;
constexpr std::size_t kLongestTyped = 256;  // bytes into an offer

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  return (a ^ (b + 0x9E3779B97F4A7C15U + (a << 6U) + (a >> 2U)));
}

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text); }

std::string_view last_bytes(std::string_view text, std::size_t bytes) {
  return text.substr(text.size() - std::min(bytes, text.size()));
}

// Of all that does not change while somebody types at the place.
std::uint64_t surroundings(const ResultCache::Moment& moment) {
  return mixed(mixed(hash_of(moment.path), moment.adapter.value()), hash_of(moment.after.substr(0, kBytesAfter)));
}

// What is left of the items behind the typed text; they stand at the cursor.
std::vector<CompletionItem> rests(const std::vector<CompletionItem>& items, std::string_view typed,
                                  std::size_t cursor) {
  std::vector<CompletionItem> left;
  for (const CompletionItem& item : items) {
    if (item.text.size() <= typed.size() || !item.text.starts_with(typed)) continue;
    CompletionItem rest = item;
    rest.text.erase(0, typed.size());
    rest.replace_begin = rest.replace_end = cursor;
    left.push_back(std::move(rest));
  }
  return left;
}

}  // namespace

void ResultCache::store(const Moment& moment, Offer offer) {
  if (capacity_ == 0) return;
  const std::uint64_t place = mixed(surroundings(moment), hash_of(last_bytes(moment.before, kBytesBefore)));
  entries_.push_front({place, moment.trigger, std::move(offer)});
  if (entries_.size() > capacity_) entries_.pop_back();
}

std::optional<ResultCache::Offer> ResultCache::find(const Moment& moment) {
  if (entries_.empty()) return std::nullopt;
  // The places at which an offer may have been made that has been typed since: bytes typed, by place.
  std::unordered_map<std::uint64_t, std::size_t> places;
  const std::uint64_t around = surroundings(moment);
  for (std::size_t typed = 0; typed <= std::min(moment.before.size(), kLongestTyped); ++typed) {
    const std::string_view before = moment.before.substr(0, moment.before.size() - typed);
    if (utf8_floor(moment.before, before.size()) != before.size()) continue;
    places.emplace(mixed(around, hash_of(last_bytes(before, kBytesBefore))), typed);
  }
  std::optional<Offer> nothing;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (moment.trigger == Trigger::kInvoked && entry->trigger != Trigger::kInvoked) continue;
    const auto place = places.find(entry->place);
    if (place == places.end()) continue;
    const std::size_t typed = place->second;
    if (typed == 0 && entry->offer.items.empty() && !nothing) nothing = entry->offer;
    auto left = rests(entry->offer.items, last_bytes(moment.before, typed), moment.before.size());
    if (left.empty()) continue;
    entries_.splice(entries_.begin(), entries_, entry);
    return Offer{std::move(left), {}};
  }
  return nothing;
}

}  // namespace weft::generation
