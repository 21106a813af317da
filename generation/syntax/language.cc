#include "generation/syntax/language.h"

#include <algorithm>
#include <array>

extern "C" const TSLanguage* tree_sitter_python(void);

namespace weft::generation {
namespace {

constexpr std::array<std::string_view, 2> kPythonExtensions = {".py", ".pyi"};
constexpr std::array<std::string_view, 2> kPythonBlocks = {"block", "module"};
constexpr std::array<std::string_view, 1> kPythonStrings = {"string"};
constexpr std::array<std::string_view, 1> kPythonComments = {"comment"};
constexpr std::array<Ending, 19> kPythonEndings = {{{"def", ":"},
                                                    {"def", "():"},
                                                    {"class", ":"},
                                                    {"if", ":"},
                                                    {"if", " else _"},
                                                    {"for", ":"},
                                                    {"for", " in _:"},
                                                    {"while", ":"},
                                                    {"with", ":"},
                                                    {"elif", ":"},
                                                    {"else", ":"},
                                                    {"try", ":"},
                                                    {"except", ":"},
                                                    {"finally", ":"},
                                                    {"match", ":"},
                                                    {"case", ":"},
                                                    {"from", " import _"},
                                                    {"lambda", ": _"},
                                                    {"lambda", " _: _"}}};
constexpr std::array<std::string_view, 4> kPythonClauses = {"else", "elif", "except", "finally"};
constexpr std::array<Sequel, 2> kPythonSequels = {{
    {.head = "try:", .line = "finally: pass"},
    {.head = "@", .line = "def _(): pass", .at_once = true},
}};

const std::array<Language, 1> kLanguages = {{
    {.name = "python",
     .extensions = kPythonExtensions,
     .grammar = tree_sitter_python,
     .block_nodes = kPythonBlocks,
     .string_nodes = kPythonStrings,
     .comment_nodes = kPythonComments,
     .line_comment = "#",
     .quotes = "'\"",
     .triple_quotes = true,
     .openers = "([{",
     .closers = ")]}",
     .block_opener = ':',
     .indented_blocks = true,
     .filler = "_",
     .empty_body = "pass",
     .block_header = "if _:",
     .clauses = kPythonClauses,
     .endings = kPythonEndings,
     .sequels = kPythonSequels},
}};

// Braces are left to indentation: what stands in a function's braces must still have ends of statements. An apostrophe
// is not a quote everywhere.
const Language kPlain = {.name = "",
                         .extensions = {},
                         .grammar = nullptr,
                         .block_nodes = {},
                         .string_nodes = {},
                         .comment_nodes = {},
                         .line_comment = "",
                         .quotes = "\"",
                         .openers = "([",
                         .closers = ")]",
                         .block_opener = '{',
                         .filler = {},
                         .empty_body = {},
                         .block_header = {},
                         .clauses = {},
                         .endings = {},
                         .sequels = {}};

}  // namespace

std::span<const Language> languages() { return kLanguages; }

const Language* find_language(std::string_view name, std::string_view path) {
  for (const Language& language : kLanguages) {
    if (!name.empty()) {
      if (language.name == name) return &language;
      continue;
    }
    const auto matches = [path](std::string_view extension) { return path.ends_with(extension); };
    if (std::ranges::any_of(language.extensions, matches)) return &language;
  }
  return nullptr;
}

const Language& language_for(std::string_view name, std::string_view path) {
  const Language* found = find_language(name, path);
  return found != nullptr ? *found : kPlain;
}

}  // namespace weft::generation
