// Regex: a pattern as tokenizer files write it, matched by PCRE2. Immutable, thread-safe, cheap to copy.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "model/base/expected.h"

struct pcre2_real_code_8;

namespace weft::model {

class Regex {
 public:
  // The dialect is that of Oniguruma, for which the patterns are written: ^ and $ hold at line ends, \s is Unicode's
  // White_Space. Error: the pattern, where PCRE2 stopped and why.
  static Expected<Regex> compile(std::string_view pattern);
  // Matches `text` itself.
  static Expected<Regex> literal(std::string_view text);

  struct Match {
    std::size_t begin, end;
  };
  // The matches in order, without overlap and without empty ones. `text` is valid UTF-8. Where a match takes more than
  // a fixed amount of work, what follows has none.
  [[nodiscard]] std::vector<Match> find_all(std::string_view text) const;

 private:
  explicit Regex(std::shared_ptr<const pcre2_real_code_8> code) : code_(std::move(code)) {}
  std::shared_ptr<const pcre2_real_code_8> code_;
};

}  // namespace weft::model
