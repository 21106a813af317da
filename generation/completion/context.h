// ContextKeeper: pieces of the other open files that a prompt begins with, and which they are. They are chosen by what
// the code around the cursor uses: imports of their module, names that they define (by the syntax tree) and names in
// common (Jaccard's measure), and by where somebody has just edited. What stands near the cursor already is left out.
// Once chosen for a region of a document they stay, in their order, until the cursor leaves the region or a file that
// they are from has changed, since each change of theirs makes the whole prompt new to the model. Thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generation/completion/completion.h"
#include "generation/completion/fim_prompt.h"
#include "generation/completion/place.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

// A piece of a file, and the names that it has.
struct ContextPiece {
  std::string text;
  std::size_t begin = 0;                   // where it stands in the file
  std::vector<std::string> defined, used;  // sorted, each once
};

// The definitions of a file and what stands between them, the methods of a long class once more by themselves; or its
// lines in groups where its language has no grammar. Pure.
[[nodiscard]] std::vector<ContextPiece> pieces_of(std::string_view path, std::string_view language,
                                                  std::string_view text);

// A file's path as the model is told of it: relative to the folder, without a slash in front.
[[nodiscard]] std::string told_path(std::string_view path, std::string_view root);

class ContextKeeper {
 public:
  // The pieces for a prompt at the place, screened, least relevant first, of at most `budget_tokens`, headers included.
  [[nodiscard]] std::vector<FimFile> context_at(const CompletionRequest& request, const CursorPlace& place,
                                                std::size_t budget_tokens, const model::Tokenizer& tokenizer,
                                                const Screen& screen);

 private:
  struct File {
    std::string path;
    std::shared_ptr<const std::string> text;  // that the pieces are of
    std::vector<ContextPiece> pieces;
  };
  struct Region {
    std::string key;  // session and document
    std::size_t line = 0;
    std::vector<FimFile> chosen;
    std::vector<std::shared_ptr<const std::string>> sources;  // the texts that they are from
  };
  [[nodiscard]] std::shared_ptr<const File> file_of(const OpenDocument& document, const Screen& screen);
  [[nodiscard]] Region choose(const CompletionRequest& request, const CursorPlace& place, std::size_t budget_tokens,
                              const model::Tokenizer& tokenizer, const Screen& screen);

  std::mutex mutex_;
  std::list<Region> regions_;                     // the last used first
  std::list<std::shared_ptr<const File>> files_;  // the last used first
};

}  // namespace weft::generation
