// ProjectMemories: what is remembered of each project: its files and its Python environment, both read in the
// background from the first request on. A bounded number of projects, the last used. Thread-safe; nothing but `read`
// takes longer than a look.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "generation/completion/completion.h"
#include "generation/memory/environment_memory.h"
#include "generation/memory/project_memory.h"

namespace weft::generation {

class ProjectMemories {
 public:
  ProjectMemories(std::shared_ptr<const model::Tokenizer> tokenizer, EnvironmentOptions environment)
      : tokenizer_(std::move(tokenizer)), environment_(std::move(environment)) {}

  struct Texts {
    ProjectText project;                                  // without the request's own file
    std::shared_ptr<const EnvironmentIndex> environment;  // may be null
  };
  // For a request with a root; its project is told of the other open documents.
  [[nodiscard]] Texts for_request(const CompletionRequest& request);
  // Blocks until what is known of the project has been read, whether or not a request was for it.
  void read(const std::string& root);
  // The disk has another text of the file than before, or none.
  void file_changed(const std::string& path) const;
  [[nodiscard]] std::vector<MemoryState> state() const;  // the last used first

 private:
  struct Project {
    std::string root;
    std::shared_ptr<ProjectMemory> files;
    std::shared_ptr<EnvironmentMemory> environment;                    // null: none is wanted
    std::map<std::string, std::shared_ptr<const std::string>> told{};  // texts of open documents, by path
  };
  [[nodiscard]] Project make(const std::string& root) const;
  // The project, made if it is not there. What there is no room for any more goes to `too_many`. Under the lock.
  Project& in_front(const std::string& root, std::list<Project>& too_many);

  const std::shared_ptr<const model::Tokenizer> tokenizer_;
  const EnvironmentOptions environment_;
  mutable std::mutex mutex_;
  std::list<Project> projects_;  // the last used first
};

}  // namespace weft::generation
