// Keeps the exercises of coding benchmarks out of training data: by the names of files and folders, and by hashes of
// the signatures that their exercises ask for. weft has neither the exercises nor their names of functions in plain
// text. What it knows is a part of them: signatures too ordinary to tell a benchmark from other code are not listed,
// and a renamed or translated exercise is not found. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weft::adapters {

// A folder or file is named after a benchmark.
[[nodiscard]] bool is_named_after_benchmark(std::string_view path);

// The first 16 digits of the SHA-256 of "name(first,second)": a function's name and those of its parameters.
[[nodiscard]] std::string signature_hash(std::string_view name_and_parameters);

// The hashes that weft knows, sorted.
[[nodiscard]] std::span<const std::string_view> benchmark_signatures();

// Whether Python `text` defines a function, at the outermost level, whose hash is among the sorted `signatures`.
// Annotations, defaults and white space do not count.
[[nodiscard]] bool defines_any(std::string_view text, std::span<const std::string_view> signatures);

}  // namespace weft::adapters
