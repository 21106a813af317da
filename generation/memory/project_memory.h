// ProjectMemory: what a project's files say, read in the background by a thread of its own that yields to all others.
// It begins with nothing, is told of changes, and hands out snapshots. What the secret rules name is not read, keys are
// masked, and what git ignores or what is foreign, generated, binary or huge is left out. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "generation/files/clean.h"
#include "generation/memory/project_index.h"
#include "generation/memory/snapshot_memory.h"
#include "model/base/cancel.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

struct ProjectMemoryOptions {
  std::string root{};             // the project's folder
  std::size_t most_files = 5000;  // of a scan
  CleanLimits files{};            // each one's
  ProjectIndexLimits index{};
};

struct ProjectMemoryState {
  bool scanned = false;  // the files that there were have been read
  std::size_t files = 0, tokens = 0, bytes = 0;
};

class ProjectMemory {
 public:
  ProjectMemory(std::shared_ptr<const model::Tokenizer> tokenizer, ProjectMemoryOptions options);
  ~ProjectMemory();  // within a file's time
  ProjectMemory(const ProjectMemory&) = delete;
  ProjectMemory& operator=(const ProjectMemory&) = delete;

  // Paths are on disk, below the root; others are ignored.
  // An open document's text, which is not what the disk has. Worth it when it is left or saved, not at each key: its
  // file's own memory is FileMemory.
  void changed(const std::string& path, std::shared_ptr<const std::string> text);
  void saved(const std::string& path);  // or removed: the disk has the last word

  // For a request in that file: what the others say, as far as has been read.
  [[nodiscard]] ProjectText text_for(const std::string& path) const;
  [[nodiscard]] ProjectMemoryState state() const;
  // Blocks until all that it was told of has been read.
  void wait() const;

 private:
  // A file to be read: its text, or where null the disk's.
  using Told = std::map<std::string, std::shared_ptr<const std::string>>;  // by its path under the root

  void work();
  void scan();
  void read(const std::string& relative, const std::shared_ptr<const std::string>& text);
  // What it was told since; nothing when it shall end.
  bool read_told();
  void publish();
  void tell(const std::string& path, std::shared_ptr<const std::string> text);
  [[nodiscard]] std::optional<std::string> relative(const std::string& path) const;

  const ProjectMemoryOptions options_;
  ProjectIndex index_;  // the thread's

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Told told_;
  bool busy_ = true;
  CancelFlag stop_;
  ProjectMemoryState state_;
  std::shared_ptr<const SuffixPlaces> published_;

  std::thread thread_;  // last: it uses the others
};

}  // namespace weft::generation
