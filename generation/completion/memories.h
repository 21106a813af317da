// Memories: what each request is given to remember: its document around the cursor, and what ProjectMemories knows of
// its project. A bounded number of documents, the last used. Thread-safe.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "generation/completion/completion.h"
#include "generation/completion/project_memories.h"
#include "generation/memory/file_memory.h"

namespace weft::generation {

class Memories {
 public:
  Memories(std::shared_ptr<const model::Tokenizer> tokenizer, MemoryReach reach, EnvironmentOptions environment)
      : tokenizer_(tokenizer),
        reach_(reach),
        projects_(std::move(tokenizer),
                  reach == MemoryReach::kEnvironment ? std::move(environment) : EnvironmentOptions{}) {}

  struct AtPlace {
    std::shared_ptr<const TokenMemory> memory;            // null where nothing is remembered
    std::vector<TokenId> context;                         // right before the place
    std::shared_ptr<const EnvironmentIndex> environment;  // that the memory has; may be null
  };
  // opening_bytes: before the cursor, which are no part of the prompt's tokens.
  [[nodiscard]] AtPlace at(const CompletionRequest& request, std::size_t opening_bytes);
  [[nodiscard]] const ProjectMemories& projects() const { return projects_; }
  // Blocks until the project's files have been read; at once where projects are out of reach.
  void read_project(const std::string& root);

 private:
  struct OfDocument {
    std::string key;
    FileMemory memory;
  };
  FileMemory& document(const std::string& key);

  const std::shared_ptr<const model::Tokenizer> tokenizer_;
  const MemoryReach reach_;
  ProjectMemories projects_;
  std::mutex mutex_;
  std::list<OfDocument> documents_;  // the last used first
};

}  // namespace weft::generation
