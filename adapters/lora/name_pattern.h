// NamePattern: a regular expression over module names as PEFT's files hold them (Python's syntax, which PCRE2 reads). A
// file may come from anywhere, so that matching is bounded in time. Immutable; one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "model/base/expected.h"

struct pcre2_real_code_8;

namespace weft::adapters {

class NamePattern {
 public:
  // Error: no regular expression, and where it goes wrong.
  static Expected<NamePattern> compile(const std::string& expression);
  // Of the whole name. Error: the expression needs too many steps on it.
  [[nodiscard]] Expected<bool> matches(std::string_view name) const;

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };
  NamePattern(std::string expression, pcre2_real_code_8* code) : expression_(std::move(expression)), code_(code) {}
  std::string expression_;
  std::unique_ptr<pcre2_real_code_8, Free> code_;
};

}  // namespace weft::adapters
