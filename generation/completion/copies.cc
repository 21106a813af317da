#include "generation/completion/copies.h"

#include <algorithm>
#include <span>
#include <vector>

#include "generation/files/licence.h"
#include "generation/memory/lines.h"

namespace weft::generation {
namespace {

RememberedSource source_of(std::size_t tokens, const EnvironmentFile& file, const EnvironmentIndex& environment) {
  const EnvironmentPackage& package = environment.package_of(file);
  return {tokens, package.name, package.version, package.licence, file.path};
}

}  // namespace

Copies find_copies(std::string_view text, const EnvironmentIndex& environment, const model::Tokenizer& tokenizer) {
  Copies copies;
  const std::vector<TokenId> tokens = memory_tokens(text, tokenizer);
  for (std::size_t end = kNamedTokens; end <= tokens.size(); ++end) {
    const auto before = std::span(tokens).first(end);
    // A longer match than a copy would hide the files that have but the copy.
    const auto copied = environment.files_with(before.last(std::min(end, kCopiedTokens)));
    if (copied.length >= kCopiedTokens) {
      const auto forbidden = std::ranges::find_if(copied.files, [&](const EnvironmentFile* file) {
        return !is_permissive(environment.package_of(*file).licence);
      });
      if (forbidden != copied.files.end()) {
        copies.forbidden = source_of(copied.length, **forbidden, environment);
        return copies;
      }
    }
    if (copied.length < kNamedTokens) continue;
    const auto found = copied.length < kCopiedTokens ? copied : environment.files_with(before);
    if (found.files.empty() || (copies.longest && copies.longest->tokens >= found.length)) continue;
    copies.longest = source_of(found.length, *found.files.front(), environment);
  }
  return copies;
}

}  // namespace weft::generation
