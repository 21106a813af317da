#include "adapters/lora/name_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

namespace weft::adapters {
namespace {

constexpr std::uint32_t kMatchLimit = 100'000;  // steps; a sane expression needs some hundreds on a module's name

PCRE2_SPTR bytes_of(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 160> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

}  // namespace

void NamePattern::Free::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }

Expected<NamePattern> NamePattern::compile(const std::string& expression) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED;
  pcre2_code* code = pcre2_compile(bytes_of(expression), expression.size(), options, &error, &offset, nullptr);
  if (code != nullptr) return NamePattern(expression, code);
  return make_error("'{}' is no regular expression: {} at character {}", expression, message_of(error), offset);
}

Expected<bool> NamePattern::matches(std::string_view name) const {
  const std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> found(
      pcre2_match_data_create_from_pattern(code_.get(), nullptr), pcre2_match_data_free);
  const std::unique_ptr<pcre2_match_context, void (*)(pcre2_match_context*)> context(
      pcre2_match_context_create(nullptr), pcre2_match_context_free);
  pcre2_set_match_limit(context.get(), kMatchLimit);
  const int matched = pcre2_match(code_.get(), bytes_of(name), name.size(), 0, 0, found.get(), context.get());
  if (matched >= 0) return true;
  if (matched == PCRE2_ERROR_NOMATCH) return false;
  return make_error("'{}' on {}: {}", expression_, name, message_of(matched));
}

}  // namespace weft::adapters
