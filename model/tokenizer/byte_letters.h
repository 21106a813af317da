// GPT-2's letters for bytes: byte-level vocabularies write each byte as one printable character, '!' as itself, a space
// as 'Ġ' (U+0120). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::model {

// The byte that `code` stands for; nullopt: it stands for none.
[[nodiscard]] std::optional<unsigned char> byte_of_letter(char32_t code);
// The bytes that a token stands for; nullopt: it has a character that is no byte's letter.
[[nodiscard]] std::optional<std::string> bytes_of_letters(std::string_view token);

}  // namespace weft::model
