#include "adapters/tasks/task_data.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "model/base/hash.h"

namespace weft::adapters {
namespace {

constexpr std::size_t kNamedFiles = 12;  // of those dropped, in a message

struct SourceFile {
  std::string path, text;
  std::uint64_t order = 0;  // by which files are held out
};

constexpr std::size_t kVerdictCounts = 16;  // about half an answer that names a line and its correction

// Two examples about one function, or one alone: they stay together.
using Group = std::vector<TokenExample>;

Expected<std::vector<SourceFile>> collect_files(const TaskDataOptions& options, const TaskDataProgress& progress,
                                                const CancelFlag& cancel, TaskData& data) {
  Collector collector(
      options.collect, cancel, progress ? progress : [](std::size_t, std::size_t) {});
  std::vector<SourceFile> out;
  for (const std::string& folder : options.folders) {
    auto found = collector.collect(folder, Part::kTrain);
    if (!found) return found.error();
    data.files += found->files;
    data.masked += found->masked;
    std::ranges::move(found->dropped_files, std::back_inserter(data.dropped_files));
    for (std::size_t i = 0; i < found->documents.size(); ++i) {
      const std::uint64_t order = mix64(fnv1a(found->paths[i]) ^ mix64(options.seed));
      out.push_back({std::move(found->paths[i]), std::move(found->documents[i]), order});
    }
  }
  return out;
}

class Reader {
 public:
  Reader(const Task& task, const model::Tokenizer& tokenizer, const TaskDataOptions& options, TokenId end,
         TaskData& data)
      : task_(task), tokenizer_(tokenizer), options_(options), end_(end), data_(data) {}

  // The file's examples; whole groups only.
  std::vector<Group> read(const SourceFile& file) {
    Random random(options_.seed, fnv1a(file.path), fnv1a(file.text));
    std::map<std::int64_t, Group> pairs;
    std::vector<Group> out;
    for (TaskExample& example : task_.examples(generation::language_for("", file.path), file.text, random)) {
      TokenExample encoded = encode(std::move(example));
      if (encoded.text.pair < 0) {
        out.push_back({std::move(encoded)});
      } else {
        pairs[encoded.text.pair].push_back(std::move(encoded));
      }
    }
    for (auto& [number, group] : pairs) {
      for (TokenExample& example : group) example.text.pair = pair_;
      ++pair_;
      out.push_back(std::move(group));
    }
    if (out.empty()) data_.dropped_files.push_back({file.path, "nothing in it for this task"});
    const std::size_t before = out.size();
    std::erase_if(out, [&](const Group& group) { return !fits(group); });
    if (out.empty() && before > 0) data_.dropped_files.push_back({file.path, "all its examples are too long"});
    return out;
  }

 private:
  [[nodiscard]] TokenExample encode(TaskExample example) const {
    TokenExample out{.text = std::move(example), .prompt = {}, .answer = {}};
    out.prompt = tokenizer_.encode(out.text.prompt);
    out.answer = tokenizer_.encode(out.text.answer);
    out.answer.push_back(end_);
    if (task_.verdicts.detects()) out.first_counts = kVerdictCounts;
    return out;
  }

  bool fits(const Group& group) {
    std::string reason;
    for (const TokenExample& example : group) {
      if (example.prompt.empty()) reason = "no prompt";
      if (example.prompt.size() > task_.max_prompt_tokens)
        reason = fmt::format("prompt longer than {} tokens", task_.max_prompt_tokens);
      if (example.answer.size() > task_.max_answer_tokens + 1)
        reason = fmt::format("answer longer than {} tokens", task_.max_answer_tokens);
      if (example.tokens() > options_.max_tokens)
        reason = fmt::format("longer than {} tokens in all", options_.max_tokens);
    }
    if (reason.empty()) return true;
    data_.dropped_examples[reason] += group.size();
    return false;
  }

  const Task& task_;
  const model::Tokenizer& tokenizer_;
  const TaskDataOptions& options_;
  TokenId end_;
  TaskData& data_;
  std::int64_t pair_ = 0;
};

// Groups by file; from each file some before any file gives all, until there are `most` examples.
std::vector<TokenExample> take(std::vector<std::vector<Group>> files, std::size_t most) {
  std::vector<TokenExample> out;
  bool more = true;
  for (std::size_t round = 0; more && out.size() < most; ++round) {
    more = false;
    for (std::vector<Group>& groups : files) {
      if (round >= groups.size() || out.size() + groups[round].size() > most) continue;
      std::ranges::move(groups[round], std::back_inserter(out));
      more = true;
    }
  }
  return out;
}

std::size_t held_out_files(std::size_t files, double share) {
  const auto wanted = static_cast<std::size_t>(std::llround(share * static_cast<double>(files)));
  if (share >= 1) return files;
  return files < 2 ? 0 : std::clamp<std::size_t>(wanted, 1, files - 1);
}

}  // namespace

Expected<TaskData> read_task_data(const Task& task, const model::Tokenizer& tokenizer, const TaskDataOptions& options,
                                  const TaskDataProgress& progress, const CancelFlag& cancel) {
  const auto end = options.end ? options.end : tokenizer.control("<|endoftext|>");
  if (!end) return make_error("the tokenizer has no <|endoftext|>");
  TaskData data;
  auto files = collect_files(options, progress, cancel, data);
  if (!files) return files.error();
  std::ranges::sort(*files, {}, [](const SourceFile& file) { return std::pair(file.order, file.path); });
  Reader reader(task, tokenizer, options, *end, data);
  std::vector<std::vector<Group>> useful;
  for (std::size_t i = 0; i < files->size(); ++i) {
    if (cancel.cancelled()) return make_error("cancelled");
    if (progress) progress(i, files->size());
    std::vector<Group> groups = reader.read((*files)[i]);
    if (!groups.empty()) useful.push_back(std::move(groups));
  }
  data.held_out_files = held_out_files(useful.size(), options.held_out_share);
  data.train_files = useful.size() - data.held_out_files;
  const auto middle = useful.begin() + static_cast<std::ptrdiff_t>(data.held_out_files);
  data.held_out =
      take({std::make_move_iterator(useful.begin()), std::make_move_iterator(middle)}, options.max_held_out);
  data.train = take({std::make_move_iterator(middle), std::make_move_iterator(useful.end())}, options.max_train);
  return data;
}

std::string describe(const TaskData& data) {
  std::string out =
      fmt::format("{} examples to train on from {} files and {} held out from {} others, of {} files",
                  data.train.size(), data.train_files, data.held_out.size(), data.held_out_files, data.files);
  for (const auto& [reason, count] : data.dropped_examples) out += fmt::format("; {} examples {}", count, reason);
  std::size_t named = 0;
  for (const DroppedFile& file : data.dropped_files) {
    if (++named > kNamedFiles) break;
    out += fmt::format("\n  {}: {}", file.path, file.reason);
  }
  if (data.dropped_files.size() > kNamedFiles) {
    out += fmt::format("\n  and {} more files", data.dropped_files.size() - kNamedFiles);
  }
  return out;
}

}  // namespace weft::adapters
