#include "model/tokenizer/normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

#include <algorithm>

namespace weft::model {
namespace {

const icu::Normalizer2& instance(UnicodeForm form) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* found = nullptr;
  switch (form) {
    case UnicodeForm::kNfc:
      found = icu::Normalizer2::getNFCInstance(status);
      break;
    case UnicodeForm::kNfd:
      found = icu::Normalizer2::getNFDInstance(status);
      break;
    case UnicodeForm::kNfkc:
      found = icu::Normalizer2::getNFKCInstance(status);
      break;
    case UnicodeForm::kNfkd:
      found = icu::Normalizer2::getNFKDInstance(status);
      break;
  }
  WEFT_CHECK(U_SUCCESS(status));  // ICU carries these tables itself
  return *found;
}

std::string composed(UnicodeForm form, std::string text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return text;
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  UErrorCode status = U_ZERO_ERROR;
  instance(form).normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int>(text.size())), sink, nullptr, status);
  WEFT_CHECK(U_SUCCESS(status));  // valid UTF-8 has a normal form
  return out;
}

std::string with_replacements(const Replacement& step, std::string text) {
  const std::vector<Regex::Match> matches = step.pattern.find_all(text);
  if (matches.empty()) return text;
  std::string out;
  std::size_t at = 0;
  for (const Regex::Match& match : matches) {
    out.append(text, at, match.begin - at).append(step.content);
    at = match.end;
  }
  return out.append(text, at);
}

}  // namespace

std::string replaced(std::string_view bytes, std::string_view from, std::string_view to) {
  std::string out;
  for (;;) {
    const std::size_t found = bytes.find(from);
    out += bytes.substr(0, found);
    if (found == std::string_view::npos) return out;
    out += to;
    bytes.remove_prefix(found + from.size());
  }
}

std::string normalized(const Normalizer& step, std::string text, bool beginning) {
  if (const auto* form = std::get_if<UnicodeForm>(&step)) return composed(*form, std::move(text));
  if (const auto* replacement = std::get_if<Replacement>(&step))
    return with_replacements(*replacement, std::move(text));
  const auto& prefix = std::get<Prefix>(step);
  if (!beginning || text.empty() || (prefix.unless_there && text.starts_with(prefix.content))) return text;
  return prefix.content + text;
}

}  // namespace weft::model
