// The components of tokenizer.json that cut and change text, by their type.
#include <array>

#include "model/tokenizer/json_access.h"
#include "model/tokenizer/tokenizer_json.h"

namespace weft::model {
namespace {

using nlohmann::json;

constexpr int kDeepest = 4;  // sequences in sequences

template <class Read>
struct Row {
  std::string_view type;
  Read read;
};

// {"Regex": "…"} or {"String": "…"}.
Expected<Regex> pattern_of(const json& component, std::string_view type) {
  const auto pattern = component.find("pattern");
  if (pattern != component.end() && pattern->is_object()) {
    if (const std::string text = text_of(*pattern, "Regex"); !text.empty()) return Regex::compile(text);
    if (const std::string text = text_of(*pattern, "String"); !text.empty()) return Regex::literal(text);
  }
  return make_error("{} has no pattern: expected an object with Regex or String", type);
}

class Reader {
 public:
  explicit Reader(BpeDefinition& definition) : out_(definition) {}

  Expected<void> normalizer(const json& component, int depth = 0) {
    using Read = Expected<void> (Reader::*)(const json&, int);
    static constexpr std::array kKnown = {Row<Read>{"NFC", &Reader::form<UnicodeForm::kNfc>},
                                          Row<Read>{"NFD", &Reader::form<UnicodeForm::kNfd>},
                                          Row<Read>{"NFKC", &Reader::form<UnicodeForm::kNfkc>},
                                          Row<Read>{"NFKD", &Reader::form<UnicodeForm::kNfkd>},
                                          Row<Read>{"Prepend", &Reader::prepend},
                                          Row<Read>{"Replace", &Reader::replace},
                                          Row<Read>{"Sequence", &Reader::normalizers}};
    return read(component, depth, kKnown, "normalizer");
  }

  Expected<void> pre_tokenizer(const json& component, int depth = 0) {
    using Read = Expected<void> (Reader::*)(const json&, int);
    static constexpr std::array kKnown = {
        Row<Read>{"ByteLevel", &Reader::byte_level},    Row<Read>{"Digits", &Reader::digits},
        Row<Read>{"Metaspace", &Reader::metaspace},     Row<Read>{"Punctuation", &Reader::punctuation},
        Row<Read>{"Sequence", &Reader::pre_tokenizers}, Row<Read>{"Split", &Reader::split}};
    if (out_.byte_level) return make_error("a pre-tokenizer comes after ByteLevel, which has to be the last");
    return read(component, depth, kKnown, "pre-tokenizer");
  }

 private:
  template <class Rows>
  Expected<void> read(const json& component, int depth, const Rows& rows, std::string_view what) {
    if (component.is_null()) return {};
    if (!component.is_object()) return make_error("a {} is {}, expected an object", what, component.type_name());
    if (depth > kDeepest) return make_error("a {} holds sequences more than {} deep", what, kDeepest);
    const std::string type = text_of(component, "type");
    std::string known;
    for (const auto& row : rows) {
      if (row.type == type) return (this->*row.read)(component, depth);
      known.append(known.empty() ? "" : ", ").append(row.type);
    }
    return make_error("unknown {} '{}'; weft knows {}", what, type, known);
  }

  template <class Each>
  static Expected<void> each(const json& component, const char* field, const Each& visit) {
    const auto list = component.find(field);
    if (list == component.end() || !list->is_array()) return make_error("a Sequence has no list {}", field);
    for (const json& item : *list) {
      if (auto done = visit(item); !done) return done;
    }
    return {};
  }

  Expected<void> normalizers(const json& component, int depth) {
    return each(component, "normalizers", [&](const json& item) { return normalizer(item, depth + 1); });
  }
  Expected<void> pre_tokenizers(const json& component, int depth) {
    return each(component, "pretokenizers", [&](const json& item) { return pre_tokenizer(item, depth + 1); });
  }

  template <UnicodeForm kForm>
  Expected<void> form(const json& /*component*/, int /*depth*/) {
    out_.normalizers.emplace_back(kForm);
    return {};
  }
  Expected<void> prepend(const json& component, int /*depth*/) {
    out_.normalizers.emplace_back(Prefix{text_of(component, "prepend")});
    return {};
  }
  Expected<void> replace(const json& component, int /*depth*/) {
    auto pattern = pattern_of(component, "Replace");
    if (!pattern) return pattern.error();
    const std::string content = text_of(component, "content");
    out_.normalizers.emplace_back(Replacement{*std::move(pattern), content});
    const auto& written = component.at("pattern");
    if (text_of(written, "String") == " " && content == kSpaceMarkBytes) out_.marks_spaces = true;
    return {};
  }

  Expected<void> cut(const std::string& pattern, SplitBehavior behavior) {
    auto regex = Regex::compile(pattern);
    if (!regex) return regex.error();
    out_.splitters.push_back({*std::move(regex), behavior, false});
    return {};
  }
  static Expected<SplitBehavior> behavior_of(const json& component) {
    constexpr std::array kKnown = {Row<SplitBehavior>{"Isolated", SplitBehavior::kIsolated},
                                   Row<SplitBehavior>{"Removed", SplitBehavior::kRemoved},
                                   Row<SplitBehavior>{"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
                                   Row<SplitBehavior>{"MergedWithNext", SplitBehavior::kMergedWithNext},
                                   Row<SplitBehavior>{"Contiguous", SplitBehavior::kContiguous}};
    const std::string name = text_of(component, "behavior");
    for (const auto& row : kKnown) {
      if (row.type == name) return row.read;
    }
    return make_error("unknown behavior '{}' of a pre-tokenizer", name);
  }
  Expected<void> split(const json& component, int /*depth*/) {
    auto pattern = pattern_of(component, "Split");
    if (!pattern) return pattern.error();
    const auto behavior = behavior_of(component);
    if (!behavior) return behavior.error();
    out_.splitters.push_back({*std::move(pattern), *behavior, flag_of(component, "invert", false)});
    return {};
  }
  Expected<void> digits(const json& component, int /*depth*/) {
    return flag_of(component, "individual_digits", false) ? cut(R"(\p{N})", SplitBehavior::kIsolated)
                                                          : cut(R"(\p{N}+)", SplitBehavior::kIsolated);
  }
  Expected<void> punctuation(const json& component, int /*depth*/) {
    const auto behavior = component.contains("behavior") ? behavior_of(component) : SplitBehavior::kIsolated;
    if (!behavior) return behavior.error();
    return cut(R"([!-/:-@\[-`{-~\p{P}])", *behavior);
  }
  Expected<void> byte_level(const json& component, int /*depth*/) {
    if (flag_of(component, "add_prefix_space", true)) {
      if (!out_.splitters.empty()) {
        return make_error("ByteLevel puts a space in front (add_prefix_space) of what was cut before it");
      }
      out_.normalizers.emplace_back(Prefix{" ", true});
    }
    if (flag_of(component, "use_regex", true)) out_.splitters.push_back(gpt2_splitter());
    out_.byte_level = true;
    return {};
  }
  Expected<void> metaspace(const json& component, int /*depth*/) {
    if (!out_.splitters.empty())
      return make_error("Metaspace comes after another pre-tokenizer, it has to be the first");
    if (const std::string mark = text_of(component, "replacement"); mark != kSpaceMarkBytes) {
      return make_error("Metaspace writes '{}' for a space, expected '{}'", mark, kSpaceMarkBytes);
    }
    auto space = Regex::literal(" ");
    if (!space) return space.error();
    out_.marks_spaces = true;
    out_.normalizers.emplace_back(Replacement{*std::move(space), std::string(kSpaceMarkBytes)});
    const std::string scheme = text_of(component, "prepend_scheme");
    if (scheme.empty() ? flag_of(component, "add_prefix_space", true) : scheme != "never") {
      out_.normalizers.emplace_back(Prefix{std::string(kSpaceMarkBytes), true});
    }
    if (!flag_of(component, "split", true)) return {};
    return cut(std::string(kSpaceMarkBytes), SplitBehavior::kMergedWithNext);
  }

  BpeDefinition& out_;
};

}  // namespace

Expected<void> read_components(const json& root, BpeDefinition& definition) {
  Reader reader(definition);
  const auto field = [&](const char* name) {
    const auto found = root.find(name);
    return found == root.end() ? json() : *found;
  };
  if (auto done = reader.normalizer(field("normalizer")); !done) return done;
  return reader.pre_tokenizer(field("pre_tokenizer"));
}

Splitter gpt2_splitter() {
  auto pattern = Regex::compile(kGpt2Pattern);
  WEFT_CHECK(pattern);
  return {*std::move(pattern)};
}

}  // namespace weft::model
