// Memories: what each request is given to remember: its document around the cursor, and the other files of its
// project, which are read in the background from the first request on. A bounded number of documents and projects, the
// last used. Thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "generation/completion/completion.h"
#include "generation/memory/file_memory.h"
#include "generation/memory/project_memory.h"

namespace weft::generation {

class Memories {
 public:
  explicit Memories(std::shared_ptr<const model::Tokenizer> tokenizer, MemoryReach reach)
      : tokenizer_(std::move(tokenizer)), reach_(reach) {}

  struct AtPlace {
    std::shared_ptr<const TokenMemory> memory;  // null where nothing is remembered
    std::vector<TokenId> context;               // right before the place
  };
  // opening_bytes: before the cursor, which are no part of the prompt's tokens.
  [[nodiscard]] AtPlace at(const CompletionRequest& request, std::size_t opening_bytes);

 private:
  struct OfDocument {
    std::string key;
    FileMemory memory;
  };
  struct OfProject {
    std::string root;
    std::unique_ptr<ProjectMemory> memory;
    std::map<std::string, std::shared_ptr<const std::string>> told;  // texts of open documents, by path
  };
  FileMemory& document(const std::string& key);
  OfProject& project(const std::string& root);

  const std::shared_ptr<const model::Tokenizer> tokenizer_;
  const MemoryReach reach_;
  std::mutex mutex_;
  std::list<OfDocument> documents_;  // the last used first
  std::list<OfProject> projects_;
};

}  // namespace weft::generation
