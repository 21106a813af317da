// `weft data pack`: folders of code to what `weft pretrain` reads. OUT gets tokenizer.model, train.bin and .idx,
// valid.bin and .idx (the held-out documents), and last manifest.json, which says that the rest is whole. Each document
// is one sequence and ends with <|endoftext|>. Same input and options, same files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "adapters/data/collect.h"
#include "adapters/data/source_kind.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"

namespace weft::adapters {

struct PackOptions {
  std::vector<std::string> sources;   // folders
  std::vector<std::string> held_out;  // folders of validation documents; none: valid.* have none
  std::string out;
  std::string tokenizer;          // tokenizer.model to use; empty: one is trained on the documents
  std::size_t vocabulary = 8192;  // of the one that is trained
  std::size_t tokenizer_sample_bytes = 5 << 20;
  std::uint64_t seed = 1;  // of the tokenizer's sample
  int threads = 2;
  CollectOptions collect{.extensions = source_extensions()};
};

struct PackedLanguage {
  std::size_t documents = 0, tokens = 0, bytes = 0;
};

struct PackedPart {
  std::size_t documents = 0, tokens = 0;
  std::map<std::string, PackedLanguage> languages;
  Collection collected;  // its documents are moved out
};

struct PackReport {
  PackedPart train, valid;
  std::size_t vocabulary = 0;
  std::string tokenizer_sha256;
};

struct PackProgress {
  std::string stage;  // "reading held-out", "reading", "training the tokenizer", "packing"
  std::size_t done = 0, all = 0;
};

// Errors: no such folder, nothing left after the filters (says how many were dropped and why), a tokenizer without
// <|endoftext|> or with more than 65536 tokens, a full disk, "cancelled". No file of a failed run is left in OUT.
Expected<PackReport> pack(const PackOptions& options, const std::function<void(const PackProgress&)>& progress,
                          const CancelFlag& cancel);

// manifest.json, also what `weft data pack --json` prints.
[[nodiscard]] std::string manifest_of(const PackReport& report);

}  // namespace weft::adapters
