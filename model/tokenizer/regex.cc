#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/tokenizer/regex.h"

#include <pcre2.h>

#include <array>
#include <cctype>
#include <string>

#include "model/base/utf8.h"

namespace weft::model {
namespace {

constexpr std::uint32_t kMostSteps = 5'000'000;   // of backtracking in one match
constexpr std::uint32_t kMostHeapKiB = 64 << 10;  // for one match by the interpreter
constexpr std::size_t kJitStackBytes = 1 << 20;
constexpr std::size_t kLongestPattern = 1 << 16;
// PCRE2's own \s takes U+180E, which is no White_Space, and what a class may contain has to be written without
// brackets.
constexpr std::string_view kSpaces = R"(\t-\r\x{85}\p{Z})";

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* resource) const {
    free(resource);
  }
};
using MatchData = std::unique_ptr<pcre2_match_data, Freed<pcre2_match_data_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Freed<pcre2_match_context_free>>;
using CompileContext = std::unique_ptr<pcre2_compile_context, Freed<pcre2_compile_context_free>>;
using JitStack = std::unique_ptr<pcre2_jit_stack, Freed<pcre2_jit_stack_free>>;

// What a match writes to; one a thread.
struct Workspace {
  MatchData data{pcre2_match_data_create(1, nullptr)};
  MatchContext context{pcre2_match_context_create(nullptr)};
  JitStack stack{pcre2_jit_stack_create(32 << 10, kJitStackBytes, nullptr)};
  Workspace() {
    WEFT_CHECK(data && context && stack);  // out of memory
    pcre2_set_match_limit(context.get(), kMostSteps);
    pcre2_set_heap_limit(context.get(), kMostHeapKiB);
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }
};

PCRE2_SPTR units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

// PCRE2's way to write what Oniguruma's pattern means.
std::string translated(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '\\' && at + 1 < pattern.size()) {
      const char escaped = pattern[++at];
      if (escaped == 's' || (escaped == 'S' && !in_class)) {
        if (!in_class) out += escaped == 's' ? "[" : "[^";
        out += kSpaces;
        if (!in_class) out += ']';
      } else if (escaped == 'u' && at + 4 < pattern.size()) {
        out.append("\\x{").append(pattern.substr(at + 1, 4)).append("}");
        at += 4;
      } else {
        out.append(1, c).append(1, escaped);
      }
      continue;
    }
    if (c == '[' && !in_class) {
      in_class = true;
      out += c;
      if (pattern.substr(at + 1).starts_with('^')) out += pattern[++at];
      if (pattern.substr(at + 1).starts_with(']')) out += pattern[++at];
      continue;
    }
    if (c == ']') in_class = false;
    out += c;
  }
  return out;
}

// A match that begins at `offset` or later; false: there is none, or it takes too much work.
bool match_from(const pcre2_code* code, std::string_view text, std::size_t offset, Workspace& space) {
  const auto run = [&](std::uint32_t options) {
    return pcre2_match(code, units(text), text.size(), offset, PCRE2_NO_UTF_CHECK | options, space.data.get(),
                       space.context.get());
  };
  int result = run(0);
  if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = run(PCRE2_NO_JIT);
  return result >= 0;
}

}  // namespace

Expected<Regex> Regex::compile(std::string_view pattern) {
  const CompileContext context(pcre2_compile_context_create(nullptr));
  WEFT_CHECK(context);
  pcre2_set_max_pattern_length(context.get(), kLongestPattern);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  constexpr std::uint32_t kOptions = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  const std::string own = translated(pattern);
  int failure = 0;
  std::size_t offset = 0;
  pcre2_code* code = pcre2_compile(units(own), own.size(), kOptions, &failure, &offset, context.get());
  if (code == nullptr) {
    std::array<unsigned char, 256> reason{};
    pcre2_get_error_message(failure, reason.data(), reason.size());
    return make_error("the pattern '{}' does not compile: {} at byte {} of '{}'", pattern,
                      reinterpret_cast<const char*>(reason.data()), offset, own);
  }
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where there is no JIT, the interpreter matches
  return Regex(std::shared_ptr<const pcre2_code>(code, [](pcre2_code* owned) { pcre2_code_free(owned); }));
}

Expected<Regex> Regex::literal(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) == 0) {
      pattern += fmt::format("\\x{:02x}", byte);
    } else {
      pattern += c;
    }
  }
  return compile(pattern);
}

std::vector<Regex::Match> Regex::find_all(std::string_view text) const {
  thread_local Workspace space;
  std::vector<Match> matches;
  std::size_t at = 0;
  while (at < text.size() && match_from(code_.get(), text, at, space)) {
    const std::size_t* range = pcre2_get_ovector_pointer(space.data.get());
    if (range[1] > range[0] && range[0] >= at) {
      matches.push_back({range[0], range[1]});
      at = range[1];
    } else {
      at = std::max(at, range[1]);
      if (at < text.size()) at += utf8_at(text, at).bytes;
    }
  }
  return matches;
}

}  // namespace weft::model
