#include "generation/privacy/keys.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

namespace weft::generation {
namespace {

// Character classes as bits, so that a rule's alphabet is one of them or several together.
constexpr unsigned kUpper = 1, kLower = 2, kDigit = 4, kUnderscore = 8, kDash = 16, kDot = 32, kBase64Sign = 64;
constexpr unsigned kLetters = kUpper | kLower, kAlnum = kLetters | kDigit, kWord = kAlnum | kUnderscore;
constexpr unsigned kBase64Url = kWord | kDash, kBase64 = kAlnum | kBase64Sign;

constexpr unsigned class_of(char c) {
  if (c >= 'A' && c <= 'Z') return kUpper;
  if (c >= 'a' && c <= 'z') return kLower;
  if (c >= '0' && c <= '9') return kDigit;
  if (c == '_') return kUnderscore;
  if (c == '-') return kDash;
  if (c == '.') return kDot;
  return c == '+' || c == '/' || c == '=' ? kBase64Sign : 0;
}

// A key that its issuer made recognisable: a prefix, then so many characters of an alphabet.
struct IssuedKey {
  std::string_view prefix;
  unsigned alphabet;
  std::size_t min_length;  // after the prefix
  std::size_t max_length;  // a longer run is something else; 0: no limit
};

constexpr std::array kIssuedKeys = {
    IssuedKey{"AKIA", kUpper | kDigit, 16, 16},  // AWS
    IssuedKey{"ASIA", kUpper | kDigit, 16, 16}, IssuedKey{"AROA", kUpper | kDigit, 16, 17},
    IssuedKey{"AIDA", kUpper | kDigit, 16, 17}, IssuedKey{"ghp_", kAlnum, 36, 255},  // GitHub
    IssuedKey{"gho_", kAlnum, 36, 255},         IssuedKey{"ghu_", kAlnum, 36, 255},
    IssuedKey{"ghs_", kAlnum, 36, 255},         IssuedKey{"ghr_", kAlnum, 36, 255},
    IssuedKey{"github_pat_", kWord, 22, 255},   IssuedKey{"glpat-", kBase64Url, 20, 255},  // GitLab
    IssuedKey{"xoxa-", kAlnum | kDash, 10, 0},                                             // Slack
    IssuedKey{"xoxb-", kAlnum | kDash, 10, 0},  IssuedKey{"xoxp-", kAlnum | kDash, 10, 0},
    IssuedKey{"xoxr-", kAlnum | kDash, 10, 0},  IssuedKey{"xoxs-", kAlnum | kDash, 10, 0},
    IssuedKey{"xapp-", kAlnum | kDash, 20, 0},  IssuedKey{"AIza", kBase64Url, 35, 35},  // Google
    IssuedKey{"ya29.", kBase64Url, 20, 0},      IssuedKey{"GOCSPX-", kBase64Url, 28, 28},
    IssuedKey{"sk_live_", kAlnum, 16, 0},                                                  // Stripe
    IssuedKey{"rk_live_", kAlnum, 16, 0},       IssuedKey{"sk-proj-", kBase64Url, 20, 0},  // model providers
    IssuedKey{"sk-ant-", kBase64Url, 20, 0},    IssuedKey{"sk-", kAlnum, 32, 0},
    IssuedKey{"hf_", kLetters, 30, 64},         IssuedKey{"npm_", kAlnum, 36, 36},            // registries
    IssuedKey{"pypi-AgEI", kBase64Url, 50, 0},  IssuedKey{"SG.", kBase64Url | kDot, 60, 80},  // mail, hosting
    IssuedKey{"dop_v1_", kAlnum, 64, 64},
};

// Parts of a lower-case name whose value is taken for a secret when it looks random.
constexpr std::array<std::string_view, 12> kSecretWords = {"password",   "passwd",      "passphrase", "secret",
                                                           "token",      "apikey",      "api_key",    "api-key",
                                                           "access_key", "private_key", "auth_key",   "credential"};

constexpr std::size_t kMaxName = 128, kMaxGap = 16, kMaxValue = 512;
constexpr std::string_view kBegin = "-----BEGIN ", kDashes = "-----", kPrivateKey = "PRIVATE KEY-----";

// What documentation writes where a password goes.
constexpr std::array<std::string_view, 4> kPlaceholders = {"password", "passwd", "secret", "passphrase"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = class_of(c) == kUpper ? static_cast<char>(c + 32) : c;
  return out;
}

double bits_per_character(std::string_view value) {
  std::array<std::size_t, 256> counts{};
  for (const char c : value) ++counts[static_cast<std::uint8_t>(c)];
  double bits = 0;
  for (const std::size_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(value.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

bool looks_random(std::string_view value, std::size_t min_length, double min_bits) {
  if (value.size() < min_length || value.find_first_of(" \t{}<>$%()[]") != std::string_view::npos) return false;
  unsigned classes = 0;
  for (const char c : value) classes |= class_of(c);
  return (classes & kDigit) != 0 && (classes & kLetters) != 0 && bits_per_character(value) >= min_bits;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<KeySpan> scan() {
    std::size_t i = 0;
    while (i < text_.size()) {
      const bool starts_word = i == 0 || (class_of(text_[i - 1]) & kWord) == 0;
      std::size_t next = i + 1;
      if (const auto end = private_key_at(i)) {
        next = *end;
      } else if (starts_word && (class_of(text_[i]) & kAlnum) != 0) {
        next = word_at(i);
      } else if (text_.substr(i, 3) == "://") {
        next = url_password_at(i + 3);
      }
      i = std::max(next, i + 1);
    }
    return std::move(found_);
  }

 private:
  // One past the run of characters of `alphabet` from `at`.
  [[nodiscard]] std::size_t run_end(std::size_t at, unsigned alphabet, std::size_t limit = std::string::npos) const {
    const std::size_t stop = limit < text_.size() - at ? at + limit : text_.size();
    while (at < stop && (class_of(text_[at]) & alphabet) != 0) ++at;
    return at;
  }

  void mask(std::size_t begin, std::size_t end) { found_.push_back({begin, end}); }

  // Rules that begin with a word. Returns where to go on.
  std::size_t word_at(std::size_t at) {
    if (const auto end = issued_key_at(at)) return *end;
    if (const auto end = web_token_at(at)) return *end;
    if (text_.substr(at, 7) == "Bearer ") {
      const std::size_t end = run_end(at + 7, kBase64Url | kBase64 | kDot);
      if (!looks_random(text_.substr(at + 7, end - at - 7), 20, 3.5)) return at + 7;
      mask(at + 7, end);
      return end;
    }
    const std::size_t end = run_end(at, kWord);
    if (names_a_secret(text_.substr(at, end - at))) {
      if (const auto value_end = assigned_value(end)) return *value_end;
    }
    return end;
  }

  std::optional<std::size_t> issued_key_at(std::size_t at) {
    for (const IssuedKey& key : kIssuedKeys) {
      if (text_[at] != key.prefix.front() || text_.substr(at, key.prefix.size()) != key.prefix) continue;
      const std::size_t begin = at + key.prefix.size();
      const std::size_t end =
          run_end(begin, key.alphabet, key.max_length == 0 ? std::string::npos : key.max_length + 1);
      const std::size_t length = end - begin;
      if (length < key.min_length || (key.max_length != 0 && length > key.max_length)) continue;
      mask(at, end);
      return end;
    }
    return std::nullopt;
  }

  // header.payload.signature of a JSON web token; the first two are base64 of text that begins with {".
  std::optional<std::size_t> web_token_at(std::size_t at) {
    if (text_.substr(at, 3) != "eyJ" || (at > 0 && text_[at - 1] == '-')) return std::nullopt;
    const std::size_t header = run_end(at, kBase64Url);
    if (header - at < 10 || text_.substr(header, 4) != ".eyJ") return std::nullopt;
    const std::size_t payload = run_end(header + 1, kBase64Url);
    if (payload == text_.size() || text_[payload] != '.') return std::nullopt;
    const std::size_t end = run_end(payload + 1, kBase64Url);
    if (end - payload < 10) return std::nullopt;
    mask(at, end);
    return end;
  }

  static bool names_a_secret(std::string_view name) {
    if (name.size() < 5 || name.size() > kMaxName) return false;
    const std::string small = lower(name);
    return std::ranges::any_of(kSecretWords,
                               [&small](std::string_view word) { return small.find(word) != std::string::npos; });
  }

  // After a name: [quote or bracket] = or : or =>, then a quoted value, or a bare one that ends the statement.
  std::optional<std::size_t> assigned_value(std::size_t at) {
    const std::size_t gap_end = std::min(text_.size(), at + kMaxGap);
    bool assigned = false;
    for (; at < gap_end; ++at) {
      const char c = text_[at];
      if (c == '=' || c == ':') {
        assigned = true;
      } else if (assigned && (c == '"' || c == '\'' || c == '`')) {
        return quoted_value(at + 1, c);
      } else if (assigned && (class_of(c) & kBase64) != 0) {
        return bare_value(at);
      } else if (c != ' ' && c != '\t' && c != '"' && c != '\'' && c != ']' && c != '>') {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  std::optional<std::size_t> quoted_value(std::size_t begin, char quote) {
    const std::size_t length = text_.substr(begin, kMaxValue).find_first_of(std::string{quote, '\n'});
    if (length == std::string_view::npos || text_[begin + length] != quote) return std::nullopt;
    if (!looks_random(text_.substr(begin, length), 10, 3.0)) return std::nullopt;
    mask(begin, begin + length);
    return begin + length + 1;
  }

  std::optional<std::size_t> bare_value(std::size_t begin) {
    const std::size_t end = run_end(begin, kBase64Url | kBase64, kMaxValue);
    const bool ends_statement =
        end == text_.size() || std::string_view(" \t\r\n,;#").find(text_[end]) != std::string::npos;
    const std::string_view value = text_.substr(begin, end - begin);
    // A type or a variable has few digits.
    if (std::ranges::count_if(value, [](char c) { return class_of(c) == kDigit; }) < 3) return std::nullopt;
    if (!ends_statement || !looks_random(value, 20, 3.7)) return std::nullopt;
    mask(begin, end);
    return end;
  }

  // scheme://user:PASSWORD@host
  std::size_t url_password_at(std::size_t at) {
    const std::size_t user_end = run_end(at, kBase64Url | kDot, 64);
    if (user_end == at || user_end >= text_.size() || text_[user_end] != ':') return at;
    const std::size_t begin = user_end + 1;
    const std::size_t length = text_.substr(begin, 128).find_first_of("@/ \t\r\n\"'`<>{}[]$%*");
    if (length == std::string_view::npos || length < 6 || text_[begin + length] != '@') return at;
    if (std::ranges::find(kPlaceholders, lower(text_.substr(begin, length))) != kPlaceholders.end()) return at;
    mask(begin, begin + length);
    return begin + length;
  }

  // The base64 of a private key, between its header and footer; the footer may be missing.
  std::optional<std::size_t> private_key_at(std::size_t at) {
    if (text_[at] != '-' || text_.substr(at, kBegin.size()) != kBegin) return std::nullopt;
    const std::size_t label = text_.substr(at + kBegin.size(), 40).find(kPrivateKey);
    if (label == std::string_view::npos) return std::nullopt;
    const std::size_t begin = at + kBegin.size() + label + kPrivateKey.size();
    std::size_t end = begin;
    bool key = false;
    // Line by line: the body goes on as long as its lines are mostly base64. No line is read past the next row of
    // dashes, so that what one header looks at, no other does.
    while (end < text_.size()) {
      std::size_t stop = end;
      while (stop < text_.size() && text_[stop] != '\n' && text_.substr(stop, kDashes.size()) != kDashes) ++stop;
      if (end != begin && !is_key_line(text_.substr(end, stop - end))) break;
      key = mask_base64(end, stop) || key;
      end = stop;
      if (end == text_.size() || text_[end] != '\n') break;
      ++end;
    }
    return key ? end : begin;
  }

  static bool is_key_line(std::string_view line) {
    const auto base64 = std::ranges::count_if(line, [](char c) { return (class_of(c) & kBase64) != 0; });
    const bool words = line.find_first_of("(){}[].;") != std::string_view::npos;
    return !words && static_cast<std::size_t>(base64) * 10 >= line.size() * 6;
  }

  bool mask_base64(std::size_t begin, std::size_t end) {
    bool any = false;
    while (begin < end) {
      const std::size_t stop = run_end(begin, kBase64, end - begin);
      if (stop - begin >= 16) {
        mask(begin, stop);
        any = true;
      }
      begin = stop + 1;
    }
    return any;
  }

  std::string_view text_;
  std::vector<KeySpan> found_;
};

}  // namespace

std::vector<KeySpan> find_keys(std::string_view text) { return Scanner(text).scan(); }

}  // namespace weft::generation
