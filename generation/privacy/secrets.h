// Secrets: which files are never read, and which pieces of text are masked, before anything enters a prompt, an index
// or training data. The rules are tables in secrets.cc and keys.cc. Pure; linear time on any input.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "model/base/expected.h"

namespace weft::generation {

// By name alone: environment files, private keys, credential stores, and everything in folders such as .ssh.
[[nodiscard]] bool is_secret_file(std::string_view path);

struct MaskedText {
  std::string text;
  std::size_t masked = 0;  // pieces
};

// Every character of what looks like a key, token or password becomes '*'. The text keeps its length and its line ends,
// so that byte offsets stay valid.
[[nodiscard]] MaskedText mask_secrets(std::string_view text);

// Both rules at once, in the form that completion's Screen wants. Error: the file must not be read.
Expected<std::string> screen(std::string_view path, std::string_view text);

}  // namespace weft::generation
