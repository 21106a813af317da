#include "adapters/data/source_kind.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

namespace weft::adapters {
namespace {

struct Ending {
  std::string_view text, meaning;
};
constexpr std::array kLanguages = {
    Ending{".py", "python"},      Ending{".js", "javascript"},  Ending{".mjs", "javascript"},
    Ending{".cjs", "javascript"}, Ending{".jsx", "javascript"}, Ending{".ts", "typescript"},
    Ending{".mts", "typescript"}, Ending{".cts", "typescript"}, Ending{".tsx", "typescript"},
    Ending{".h", "cpp"},          Ending{".hh", "cpp"},         Ending{".hpp", "cpp"},
    Ending{".hxx", "cpp"},        Ending{".ipp", "cpp"},        Ending{".cc", "cpp"},
    Ending{".cpp", "cpp"},        Ending{".cxx", "cpp"},
};
constexpr std::array kMadeNames = {
    Ending{"_pb2.py", "generated"},        Ending{"_pb2_grpc.py", "generated"}, Ending{".pb.h", "generated"},
    Ending{".pb.cc", "generated"},         Ending{"_generated.h", "generated"}, Ending{".min.js", "minified"},
    Ending{".min.mjs", "minified"},        Ending{".bundle.js", "minified"},    Ending{".d.ts", "declarations only"},
    Ending{".d.mts", "declarations only"},
};

// What compilers and bundlers of JavaScript leave at the top of their output; at its end, the place of the source map.
constexpr std::array<std::string_view, 6> kCompiledMarks = {"\"__esModule\"",  "'__esModule'",    "__webpack_require__",
                                                            "_interopRequire", "__createBinding", "__awaiter = "};
constexpr std::string_view kSourceMap = "sourceMappingURL=";
constexpr std::array<std::string_view, 3> kAmalgamatedMarks = {"amalgamat", "single-header", "single header"};
constexpr std::size_t kTopBytes = 4096, kTailBytes = 512;

template <class Marks>
bool holds_any(std::string_view text, const Marks& marks) {
  return std::ranges::any_of(marks,
                             [text](std::string_view mark) { return text.find(mark) != std::string_view::npos; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

std::vector<std::string> source_extensions() {
  std::vector<std::string> out;
  for (const Ending& ending : kLanguages) out.emplace_back(ending.text);
  return out;
}

std::string_view language_of(std::string_view path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  const auto* found = std::ranges::find(kLanguages, extension, &Ending::text);
  return found == kLanguages.end() ? "other" : found->meaning;
}

std::string_view reason_not_written(std::string_view path, std::string_view text) {
  for (const Ending& ending : kMadeNames) {
    if (path.ends_with(ending.text)) return ending.meaning;
  }
  const std::string_view language = language_of(path), top = text.substr(0, kTopBytes);
  if (language == "javascript" || language == "typescript") {
    const std::string_view tail = text.substr(text.size() - std::min(text.size(), kTailBytes));
    if (holds_any(top, kCompiledMarks) || tail.find(kSourceMap) != std::string_view::npos) return "generated";
  }
  if (language == "cpp" && holds_any(lower(top), kAmalgamatedMarks)) return "amalgamated";
  return "";
}

}  // namespace weft::adapters
