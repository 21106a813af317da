// Names in a text, whatever its language: runs of ASCII letters, digits and '_'. Pure.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string_view>

namespace weft::generation {

// visit(name, offset): each run in order, numbers too.
template <class Visit>
void each_name(std::string_view text, const Visit& visit) {
  const auto in_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    while (end < text.size() && in_name(text[end])) ++end;
    if (end > begin) visit(text.substr(begin, end - begin), begin);
    begin = std::max(end, begin + 1);
  }
}

}  // namespace weft::generation
