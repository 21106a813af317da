#include "model/tokenizer/sentencepiece_trainer.h"

#include <sentencepiece_trainer.h>

#include <algorithm>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/base/atomic_file.h"
#include "model/base/utf8.h"

namespace weft::model {
namespace {

constexpr std::size_t kLongestLine = 512;      // longer ones are data, not code
constexpr std::size_t kLongestPiece = 16;      // characters
constexpr std::size_t kLeastVocabulary = 384;  // bytes, printable ASCII, control and whitespace tokens
constexpr std::string_view kSpaceMark = "\xE2\x96\x81";
constexpr std::string_view kControls =
    "<|endoftext|>,<fim_prefix>,<fim_suffix>,<fim_middle>,<fim_pad>,<file_sep>,<repo_name>";

class Lines final : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(std::vector<std::string> lines) : lines_(std::move(lines)) {}
  [[nodiscard]] bool done() const override { return next_ >= lines_.size(); }
  void Next() override { ++next_; }
  [[nodiscard]] const std::string& value() const override { return lines_[next_]; }
  [[nodiscard]] sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string> lines_;
  std::size_t next_ = 0;
};

// SplitMix64 (Steele et al. 2014): the standard library's distributions differ between implementations.
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = state += 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r\f\v";
  const std::size_t begin = line.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlank) - begin + 1);
}

// Indentation has its own tokens, so merges learn from what stands after it.
void append_lines(std::string_view document, std::vector<std::string>& lines) {
  while (!document.empty()) {
    const std::size_t end = std::min(document.find('\n'), document.size());
    const std::string_view line = trimmed(document.substr(0, end));
    document.remove_prefix(std::min(end + 1, document.size()));
    if (line.empty() || line.size() > kLongestLine) continue;
    if (!is_valid_utf8(line) || line.find(kSpaceMark) != std::string_view::npos) continue;
    lines.emplace_back(line);
  }
}

// SentencePiece gives every character of its text a token. Rare ones are worth none (bytes cover them), so lines with a
// character outside ASCII that stands for less than one in kRarest are left out; printable ASCII is always in.
void settle_alphabet(std::vector<std::string>& lines) {
  constexpr std::size_t kRarest = 20000;
  std::unordered_map<char32_t, std::size_t> counts;
  std::size_t total = 0;
  const auto each = [](std::string_view line, const auto& visit) {
    for (std::size_t at = 0; at < line.size();) {
      const Utf8Character character = utf8_at(line, at);
      visit(character.code);
      at += character.bytes;
    }
  };
  for (const std::string& line : lines) {
    each(line, [&](char32_t code) { ++counts[code], ++total; });
  }
  std::erase_if(lines, [&](const std::string& line) {
    bool rare = false;
    each(line, [&](char32_t code) { rare |= code >= 0x80 && counts[code] * kRarest < total; });
    return rare;
  });
  for (char c = '!'; c <= '~'; ++c) lines.emplace_back(1, c);
}

std::vector<std::string> sample_lines(std::span<const std::string> documents, const TokenizerTraining& options) {
  std::vector<std::size_t> order(documents.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::uint64_t state = options.seed;
  std::vector<std::string> lines;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < order.size() && taken < options.sample_bytes; ++i) {
    std::swap(order[i], order[i + next_random(state) % (order.size() - i)]);
    append_lines(documents[order[i]], lines);
    taken += documents[order[i]].size();
  }
  return lines;
}

// A line end with the usual indentations, blank lines, and runs of spaces, each one token. SentencePiece sees a space
// as kSpaceMark by the time it looks for them.
std::string whitespace_symbols() {
  std::string out = "\t,\n\t,\n\t\t,\n\t\t\t,\n\n\n";
  const auto add = [&out](std::string_view line_ends, int spaces) {
    out += ',';
    out += line_ends;
    for (int i = 0; i < spaces; ++i) out += kSpaceMark;
  };
  for (const int spaces : {0, 4, 8, 12, 16, 20, 24}) add("\n", spaces);
  for (const int spaces : {0, 4, 8}) add("\n\n", spaces);
  for (const int spaces : {2, 4, 8, 12, 16}) add("", spaces);
  return out;
}

std::unordered_map<std::string, std::string> arguments(const TokenizerTraining& options) {
  return {{"model_type", "bpe"},
          {"vocab_size", std::to_string(options.vocabulary)},
          {"num_threads", std::to_string(std::max(options.threads, 1))},
          {"byte_fallback", "true"},
          {"character_coverage", "1"},
          {"split_by_whitespace", "false"},
          {"split_by_unicode_script", "false"},
          {"split_digits", "true"},
          {"max_sentencepiece_length", std::to_string(kLongestPiece)},
          {"max_sentence_length", std::to_string(kLongestLine)},
          {"normalization_rule_name", "identity"},
          {"add_dummy_prefix", "false"},
          {"remove_extra_whitespaces", "false"},
          {"unk_id", "0"},
          {"bos_id", "-1"},
          {"eos_id", "-1"},
          {"pad_id", "-1"},
          {"control_symbols", std::string(kControls)},
          {"user_defined_symbols", whitespace_symbols()},
          {"minloglevel", "2"}};
}

}  // namespace

Expected<void> train_sentencepiece(std::span<const std::string> documents, const TokenizerTraining& options,
                                   const std::string& path) {
  if (options.vocabulary < kLeastVocabulary) {
    return make_error("a vocabulary of {} tokens is too small, expected at least {}", options.vocabulary,
                      kLeastVocabulary);
  }
  std::vector<std::string> sample = sample_lines(documents, options);
  const std::size_t count = sample.size();
  if (count == 0)
    return make_error("no text to train a tokenizer on: {} documents without a usable line", documents.size());
  settle_alphabet(sample);
  Lines lines(std::move(sample));
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(arguments(options), &lines, &model);
  if (!status.ok()) {
    return make_error("cannot train a tokenizer of {} tokens on {} lines: {}", options.vocabulary, count,
                      status.ToString());
  }
  return write_file_atomically(path, model);
}

}  // namespace weft::model
