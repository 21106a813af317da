// What a source file is by its name and text, beyond what generation/files/clean.h can say of any text: its language,
// and whether a tool made it from other files. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft::adapters {

// Endings with the dot, of all languages that a base model learns.
[[nodiscard]] std::vector<std::string> source_extensions();
// "python", "javascript", "typescript", "cpp"; "other" for what has another ending.
[[nodiscard]] std::string_view language_of(std::string_view path);
// "generated", "minified", "declarations only", "amalgamated"; "" for what somebody wrote.
[[nodiscard]] std::string_view reason_not_written(std::string_view path, std::string_view text);

}  // namespace weft::adapters
