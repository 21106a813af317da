#include "lsp/uri.h"

#include <algorithm>
#include <charconv>

#include "model/base/utf8.h"

namespace weft::lsp {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_scheme(std::string_view scheme) {
  return !scheme.empty() && is_letter(scheme.front()) && std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

Expected<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2) {
      return make_error("URI has a broken percent escape at offset {}", i);
    }
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

bool stands_for_itself(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("/-._~").find(c) != std::string_view::npos;
}

}  // namespace

Expected<std::string> path_of_uri(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos || !is_scheme(uri.substr(0, colon))) {
    return make_error("URI of {} bytes has no scheme", uri.size());
  }
  const std::string_view scheme = uri.substr(0, colon);
  std::string_view rest = uri.substr(colon + 1);
  rest = rest.substr(0, rest.find_first_of("?#"));
  if (rest.starts_with("//")) {
    const std::size_t slash = rest.find('/', 2);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  }
  auto path = percent_decode(rest);
  if (!path) return path.error();
  if (path->find('\0') != std::string::npos) return make_error("URI holds a NUL byte");
  if (!is_valid_utf8(*path)) return make_error("path of the URI is not UTF-8 at offset {}", utf8_valid_prefix(*path));
  if (scheme == "file" && !path->starts_with('/')) return make_error("file URI has no absolute path");
  return path;
}

std::string uri_of_path(std::string_view path) {
  std::string uri = "file://";
  for (char c : path) {
    stands_for_itself(c) ? uri += c
                         : uri += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return uri;
}

}  // namespace weft::lsp
