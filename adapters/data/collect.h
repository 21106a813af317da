// From folders of code to the documents worth training on: walk, screen by name, clean, check the licence, mask keys,
// drop near duplicates. Deterministic: files in sorted order of their paths. One thread at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "adapters/data/near_duplicates.h"
#include "generation/files/clean.h"
#include "generation/files/licence.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"

namespace weft::adapters {

struct CollectOptions {
  std::vector<std::string> extensions{".py"};
  generation::CleanLimits limits{};
  std::string assumed_licence{};              // SPDX, for files of which nothing is known; empty: they are dropped
  std::vector<std::string> held_out_names{};  // file names that are dropped from training, wherever they lie
  bool any_licence = false;  // what is trained stays with whoever has the files: no licence is asked for
};

struct DroppedFile {
  std::string path;  // below the folder
  std::string reason;
};

struct Collection {
  std::vector<std::string> documents;
  std::vector<std::string> paths;              // of each document, below the folder
  std::size_t files = 0;                       // looked at
  std::size_t bytes = 0;                       // of the documents
  std::size_t masked = 0;                      // pieces of text that looked like keys
  std::map<std::string, std::size_t> dropped;  // reason -> files
  std::vector<DroppedFile> dropped_files;
};

enum class Part { kHeldOut, kTrain };

class Collector {
 public:
  // done and all: files so far and in the folder at hand.
  using Progress = std::function<void(std::size_t done, std::size_t all)>;
  Collector(CollectOptions options, CancelFlag cancel, Progress progress);

  // Documents of all files under `root`. Near duplicates of what an earlier call kept are dropped too; so held-out
  // folders come first. Error: no such folder, a licences.json that is none, cancelled.
  Expected<Collection> collect(const std::string& root, Part part);

 private:
  struct File {
    std::string path;      // on disk
    std::string relative;  // under the root
  };
  Expected<std::vector<File>> list(const std::string& root) const;
  // The cleaned text, or why the file is dropped.
  generation::Cleaned read(const File& file, generation::LicenceFinder& licences, std::size_t& masked) const;

  CollectOptions options_;
  CancelFlag cancel_;
  Progress progress_;
  NearDuplicates seen_;
  std::vector<Part> parts_;  // of each text in seen_
};

}  // namespace weft::adapters
