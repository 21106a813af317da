#include "adapters/data/pack.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <string_view>
#include <thread>

#include <nlohmann/json.hpp>

#include "adapters/data/indexed_dataset.h"
#include "adapters/data/sha256.h"
#include "model/base/atomic_file.h"
#include "model/tokenizer/sentencepiece_trainer.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using Report = std::function<void(const PackProgress&)>;
using Tokens = std::vector<std::uint16_t>;

constexpr std::string_view kEndOfText = "<|endoftext|>";
constexpr std::size_t kBatch = 128;  // documents tokenised before they are written
constexpr const char* kFiles[] = {"manifest.json", "tokenizer.model", "train.bin",
                                  "train.idx",     "valid.bin",       "valid.idx"};

// OUT's files are ours from the first write on: all of them stay, or none.
class OutputFolder {
 public:
  static Expected<std::unique_ptr<OutputFolder>> create(const std::string& path) {
    std::error_code error;
    const bool created = fs::create_directories(path, error);
    if (error) return make_error("cannot create {}: {}", path, error.message());
    auto folder = std::unique_ptr<OutputFolder>(new OutputFolder(path, created));
    folder->remove_files();
    return folder;
  }
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;
  ~OutputFolder() {
    if (kept_) return;
    remove_files();
    std::error_code ignored;
    if (created_) fs::remove(path_, ignored);  // only when empty
  }
  [[nodiscard]] std::string file(const char* name) const { return (fs::path(path_) / name).string(); }
  void keep() { kept_ = true; }

 private:
  OutputFolder(std::string path, bool created) : path_(std::move(path)), created_(created) {}
  void remove_files() const {
    std::error_code ignored;
    for (const char* name : kFiles) fs::remove(file(name), ignored);
  }

  std::string path_;
  bool created_, kept_ = false;
};

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string describe_dropped(const Collection& collection) {
  std::string out;
  for (const auto& [reason, count] : collection.dropped) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, reason);
  }
  return out.empty() ? "none" : out;
}

void append(Collection& to, Collection from) {
  std::ranges::move(from.documents, std::back_inserter(to.documents));
  std::ranges::move(from.paths, std::back_inserter(to.paths));
  to.files += from.files;
  to.bytes += from.bytes;
  to.masked += from.masked;
  for (const auto& [reason, count] : from.dropped) to.dropped[reason] += count;
}

struct Collected {
  Collection train, valid;
};

// Held-out files first, so that what is near to them is dropped from training and not the other way round.
Expected<Collected> collect_all(const PackOptions& options, const Report& progress, const CancelFlag& cancel) {
  Collected out;
  std::string stage = "reading held-out";
  CollectOptions rules = options.collect;
  const auto report = [&](std::size_t done, std::size_t all) { progress({stage, done, all}); };
  Collector collector(rules, cancel, report);
  for (const std::string& folder : options.held_out) {
    auto valid = collector.collect(folder, Part::kHeldOut);
    if (!valid) return valid.error();
    append(out.valid, std::move(*valid));
  }
  stage = "reading";
  for (const std::string& source : options.sources) {
    auto train = collector.collect(source, Part::kTrain);
    if (!train) return train.error();
    append(out.train, std::move(*train));
  }
  if (out.train.documents.empty()) {
    return make_error("nothing to pack: none of {} files is left; dropped: {}", out.train.files,
                      describe_dropped(out.train));
  }
  return out;
}

Expected<std::shared_ptr<const model::Tokenizer>> provide_tokenizer(const PackOptions& options,
                                                                    const std::string& given,
                                                                    const std::vector<std::string>& documents,
                                                                    const std::string& path, const Report& progress) {
  if (options.tokenizer.empty()) {
    progress({"training the tokenizer", 0, 1});
    model::TokenizerTraining training;
    training.vocabulary = options.vocabulary;
    training.sample_bytes = options.tokenizer_sample_bytes;
    training.seed = options.seed;
    training.threads = options.threads;
    const auto trained = model::train_sentencepiece(documents, training, path);
    if (!trained) return trained.error();
  } else {
    const auto written = write_file_atomically(path, given);
    if (!written) return written.error();
  }
  auto tokenizer = model::load_tokenizer(std::filesystem::path(path).parent_path().string());
  if (!tokenizer) return tokenizer;
  constexpr std::size_t kMost = std::size_t{std::numeric_limits<std::uint16_t>::max()} + 1;
  if ((*tokenizer)->vocabulary() > kMost) {
    return make_error("the tokenizer has {} tokens, packed data holds ids below {}", (*tokenizer)->vocabulary(), kMost);
  }
  if (!(*tokenizer)->control(kEndOfText)) return make_error("the tokenizer has no {}", kEndOfText);
  return tokenizer;
}

Tokens tokenise(const model::Tokenizer& tokenizer, const std::string& text, TokenId end) {
  const std::vector<TokenId> ids = tokenizer.encode(text);
  Tokens out;
  out.reserve(ids.size() + 1);
  for (const TokenId id : ids) out.push_back(static_cast<std::uint16_t>(id.value()));
  out.push_back(static_cast<std::uint16_t>(end.value()));
  return out;
}

// A batch on `threads` threads; the order of the results is that of the documents.
std::vector<Tokens> tokenise_batch(const model::Tokenizer& tokenizer, std::span<const std::string> documents,
                                   int threads) {
  std::vector<Tokens> out(documents.size());
  const TokenId end = *tokenizer.control(kEndOfText);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < documents.size(); i = next++) out[i] = tokenise(tokenizer, documents[i], end);
  };
  std::vector<std::jthread> helpers;
  for (int i = 1; i < threads; ++i) helpers.emplace_back(work);
  work();
  helpers.clear();  // joins
  return out;
}

Expected<PackedPart> write_part(const std::string& prefix, Collection collection, const model::Tokenizer& tokenizer,
                                int threads, const std::function<bool(std::size_t)>& go_on) {
  auto writer = IndexedDatasetWriter::create(prefix);
  if (!writer) return writer.error();
  PackedPart part;
  const std::span<const std::string> documents = collection.documents;
  for (std::size_t at = 0; at < documents.size(); at += kBatch) {
    if (!go_on(at)) return make_error("cancelled");
    const auto batch = documents.subspan(at, std::min(kBatch, documents.size() - at));
    std::size_t index = at;
    for (const Tokens& tokens : tokenise_batch(tokenizer, batch, threads)) {
      const auto added = writer->add(tokens);
      if (!added) return added.error();
      part.tokens += tokens.size();
      PackedLanguage& language = part.languages[std::string(language_of(collection.paths[index]))];
      ++language.documents;
      language.tokens += tokens.size();
      language.bytes += documents[index++].size();
    }
  }
  const auto finished = writer->finish();
  if (!finished) return finished.error();
  part.documents = documents.size();
  collection.documents.clear();
  part.collected = std::move(collection);
  return part;
}

nlohmann::json json_of(const PackedPart& part) {
  nlohmann::json languages = nlohmann::json::object();
  for (const auto& [name, of] : part.languages) {
    languages[name] = {{"documents", of.documents}, {"tokens", of.tokens}, {"bytes", of.bytes}};
  }
  return {{"languages", languages},           {"documents", part.documents},   {"tokens", part.tokens},
          {"bytes", part.collected.bytes},    {"files", part.collected.files}, {"masked", part.collected.masked},
          {"dropped", part.collected.dropped}};
}

}  // namespace

std::string manifest_of(const PackReport& report) {
  const nlohmann::json out = {{"format", "weft packed data 1"},
                              {"tokenizer", {{"sha256", report.tokenizer_sha256}, {"vocabulary", report.vocabulary}}},
                              {"train", json_of(report.train)},
                              {"valid", json_of(report.valid)}};
  return out.dump(2) + "\n";
}

Expected<PackReport> pack(const PackOptions& options, const Report& progress, const CancelFlag& cancel) {
  // Read before OUT is emptied: it may lie there.
  const std::string given = options.tokenizer.empty() ? "" : read_all(options.tokenizer);
  if (!options.tokenizer.empty() && given.empty()) return make_error("cannot read the tokenizer {}", options.tokenizer);
  auto collected = collect_all(options, progress, cancel);
  if (!collected) return collected.error();
  auto folder = OutputFolder::create(options.out);
  if (!folder) return folder.error();
  const std::string model_path = (*folder)->file("tokenizer.model");
  const auto tokenizer = provide_tokenizer(options, given, collected->train.documents, model_path, progress);
  if (!tokenizer) return tokenizer.error();

  const std::size_t train_documents = collected->train.documents.size();
  const std::size_t all = train_documents + collected->valid.documents.size();
  std::size_t before = 0;  // documents of earlier parts
  const auto go_on = [&](std::size_t done) {
    progress({"packing", before + done, all});
    return !cancel.cancelled();
  };
  auto train = write_part((*folder)->file("train"), std::move(collected->train), **tokenizer, options.threads, go_on);
  if (!train) return train.error();
  before = train_documents;
  auto valid = write_part((*folder)->file("valid"), std::move(collected->valid), **tokenizer, options.threads, go_on);
  if (!valid) return valid.error();
  progress({"packing", all, all});

  PackReport report{std::move(*train), std::move(*valid), (*tokenizer)->vocabulary(), sha256_hex(read_all(model_path))};
  const auto written = write_file_atomically((*folder)->file("manifest.json"), manifest_of(report));
  if (!written) return written.error();
  (*folder)->keep();
  return report;
}

}  // namespace weft::adapters
