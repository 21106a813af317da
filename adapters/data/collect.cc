#include "adapters/data/collect.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "adapters/data/benchmarks.h"
#include "adapters/data/source_kind.h"
#include "generation/files/source_files.h"
#include "generation/privacy/secrets.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using generation::Cleaned;

constexpr std::size_t kProgressEvery = 64;  // files

template <class Range, class Value>
bool contains(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != range.end();
}

std::string file_name_of(const std::string& path) { return fs::path(path).filename().string(); }

}  // namespace

Collector::Collector(CollectOptions options, CancelFlag cancel, Progress progress)
    : options_(std::move(options)), cancel_(std::move(cancel)), progress_(std::move(progress)) {}

Expected<std::vector<Collector::File>> Collector::list(const std::string& root) const {
  std::error_code error;
  if (!fs::is_directory(root, error)) return make_error("{} is not a folder", root);
  std::vector<File> files;
  fs::recursive_directory_iterator walk(root, fs::directory_options::skip_permission_denied, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    const fs::path& path = walk->path();
    std::error_code ignored;
    if (walk->is_directory(ignored)) {
      if (generation::is_foreign_folder(path.filename().string())) walk.disable_recursion_pending();
    } else if (walk->symlink_status(ignored).type() == fs::file_type::regular &&
               contains(options_.extensions, path.extension().string())) {
      files.push_back({path.string(), path.lexically_relative(root).generic_string()});
    }
  }
  if (error) return make_error("cannot read {}: {}", root, error.message());
  std::ranges::sort(files, {}, &File::relative);
  return files;
}

Cleaned Collector::read(const File& file, generation::LicenceFinder& licences, std::size_t& masked) const {
  if (generation::is_secret_file(file.relative)) return {"", "secret file"};
  if (is_named_after_benchmark(file.relative)) return {"", "benchmark"};
  std::error_code error;
  const auto size = fs::file_size(file.path, error);
  if (!error && size > options_.limits.max_bytes) return {"", "too large"};
  std::ifstream stream(file.path, std::ios::binary);
  if (error || !stream) return {"", "unreadable"};
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  Cleaned out = generation::clean(bytes, options_.limits);
  if (out.rejected.empty()) out.rejected = reason_not_written(file.relative, out.text);
  if (out.rejected.empty() && defines_any(out.text, benchmark_signatures())) out.rejected = "benchmark";
  if (!out.rejected.empty()) return out;
  if (!options_.any_licence) {
    const std::string licence = licences.licence_of(file.relative, out.text);
    if (!generation::is_permissive(licence))
      return {"", licence.empty() ? "unknown licence" : "licence not permissive"};
  }
  auto screened = generation::mask_secrets(out.text);
  masked += screened.masked;
  out.text = std::move(screened.text);
  return out;
}

Expected<Collection> Collector::collect(const std::string& root, Part part) {
  const auto files = list(root);
  if (!files) return files.error();
  auto licences = generation::LicenceFinder::open(root, options_.assumed_licence);
  if (!licences) return licences.error();
  Collection out;
  for (const File& file : *files) {
    if (cancel_.cancelled()) return make_error("cancelled");
    if (out.files % kProgressEvery == 0) progress_(out.files, files->size());
    ++out.files;
    const bool withheld = part == Part::kTrain && contains(options_.held_out_names, file_name_of(file.relative));
    Cleaned document = withheld ? Cleaned{"", "held-out name"} : read(file, *licences, out.masked);
    if (document.rejected.empty()) {
      const auto earlier = seen_.find_or_add(NearDuplicates::signature_of(document.text));
      if (earlier) {
        const bool leaks = part == Part::kTrain && parts_[*earlier] == Part::kHeldOut;
        document.rejected = leaks ? "near duplicate of held-out" : "near duplicate";
      }
    }
    if (!document.rejected.empty()) {
      ++out.dropped[document.rejected];
      out.dropped_files.push_back({file.relative, document.rejected});
      continue;
    }
    parts_.push_back(part);
    out.bytes += document.text.size();
    out.documents.push_back(std::move(document.text));
    out.paths.push_back(file.relative);
  }
  progress_(files->size(), files->size());
  return out;
}

}  // namespace weft::adapters
