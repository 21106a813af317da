#include "generation/completion/typed_cache.h"

#include <functional>
#include <utility>

namespace weft::generation {
namespace {
std::size_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text); }
}  // namespace

void TypedCache::store(const Moment& moment, std::vector<CompletionItem> items) {
  if (capacity_ == 0 || items.empty()) return;
  entries_.push_front({std::string(moment.path), moment.before.size(), hash_of(moment.before), hash_of(moment.after),
                       moment.after.size(), moment.trigger, std::move(items)});
  if (entries_.size() > capacity_) entries_.pop_back();
}

std::vector<CompletionItem> TypedCache::rests(const Entry& entry, const Moment& moment) {
  const std::string_view typed = moment.before.substr(entry.offset);
  std::vector<CompletionItem> left;
  for (const CompletionItem& item : entry.items) {
    if (item.text.size() <= typed.size() || !item.text.starts_with(typed)) continue;
    left.push_back({item.text.substr(typed.size()), moment.before.size(), moment.before.size(), item.score});
  }
  return left;
}

std::vector<CompletionItem> TypedCache::find(const Moment& moment) {
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->path != moment.path || entry->offset > moment.before.size()) continue;
    if (moment.trigger == Trigger::kInvoked && entry->trigger != Trigger::kInvoked) continue;
    if (entry->after_bytes != moment.after.size()) continue;
    std::vector<CompletionItem> left = rests(*entry, moment);  // cheap, before the hashes
    if (left.empty() || entry->before_hash != hash_of(moment.before.substr(0, entry->offset)) ||
        entry->after_hash != hash_of(moment.after)) {
      continue;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return left;
  }
  return {};
}

}  // namespace weft::generation
