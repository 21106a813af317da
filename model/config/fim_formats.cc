#include "model/config/fim_formats.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace weft::model {
namespace {

struct FimRow {
  std::string_view prefix, suffix, middle;  // an empty middle: the prompt ends with the prefix
  FimLayout layout = FimLayout::kPsm;
  std::string_view repository{}, file{};  // control tokens before a repository's name and before a file
  std::string_view repository_end{};
  FileHeader header = FileHeader::kNone;
  bool starts_prefix = false;  // as FimFormat has it
  std::string_view needs{};    // another control token that tells the family from others with the same three
  std::string_view lacks{};    // one that it does not have
  // What is behind the middle token is what the model was trained to write there, from any place on; so every family
  // stands it whose prompts end with that token and where it makes a difference.
  bool increment_after_middle = false;
  std::array<std::string_view, 5> stops{};
};

// The first row whose tokens are all there counts.
constexpr std::array kRows{
    // Qwen2.5-Coder, Qwen3-Coder
    FimRow{.prefix = "<|fim_prefix|>",
           .suffix = "<|fim_suffix|>",
           .middle = "<|fim_middle|>",
           .repository = "<|repo_name|>",
           .file = "<|file_sep|>",
           .repository_end = "\n",
           .header = FileHeader::kPathLine,
           .needs = "<|repo_name|>",
           .increment_after_middle = true,
           .stops = {"<|endoftext|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|im_end|>"}},
    // CodeGemma
    FimRow{.prefix = "<|fim_prefix|>",
           .suffix = "<|fim_suffix|>",
           .middle = "<|fim_middle|>",
           .file = "<|file_separator|>",
           .header = FileHeader::kSeparator,
           .needs = "<|file_separator|>",
           .increment_after_middle = true,
           .stops = {"<|file_separator|>", "<end_of_turn>"}},
    // Granite 4
    FimRow{.prefix = "<|fim_prefix|>",
           .suffix = "<|fim_suffix|>",
           .middle = "<|fim_middle|>",
           .increment_after_middle = true,
           .stops = {"<|end_of_text|>", "<|fim_pad|>"}},
    // StarCoder2
    FimRow{.prefix = "<fim_prefix>",
           .suffix = "<fim_suffix>",
           .middle = "<fim_middle>",
           .repository = "<repo_name>",
           .file = "<file_sep>",
           .header = FileHeader::kPathInPrefix,
           .needs = "<file_sep>",
           .increment_after_middle = true,
           .stops = {"<|endoftext|>", "<file_sep>", "<repo_name>", "<fim_pad>"}},
    // Mellum: its tokens are StarCoder's but for those of GitHub
    FimRow{.prefix = "<fim_prefix>",
           .suffix = "<fim_suffix>",
           .middle = "<fim_middle>",
           .layout = FimLayout::kSuffixPrefixMiddle,
           .file = "<filename>",
           .header = FileHeader::kPathLine,
           .needs = "<filename>",
           .lacks = "<gh_stars>",
           .stops = {"<|endoftext|>", "<filename>"}},
    // StarCoder, Granite-code
    FimRow{.prefix = "<fim_prefix>",
           .suffix = "<fim_suffix>",
           .middle = "<fim_middle>",
           .repository = "<reponame>",
           .file = "<filename>",
           .header = FileHeader::kPathLine,
           .increment_after_middle = true,
           .stops = {"<|endoftext|>", "<filename>", "<reponame>", "<fim_pad>"}},
    // SantaCoder
    FimRow{.prefix = "<fim-prefix>",
           .suffix = "<fim-suffix>",
           .middle = "<fim-middle>",
           .increment_after_middle = true,
           .stops = {"<|endoftext|>", "<fim-pad>"}},
    // CodeLlama 7B, 13B and 70B
    FimRow{.prefix = "▁<PRE>",
           .suffix = "▁<SUF>",
           .middle = "▁<MID>",
           .starts_prefix = true,
           .increment_after_middle = true,
           .stops = {"▁<EOT>"}},
    // DeepSeek-Coder
    FimRow{.prefix = "<｜fim▁begin｜>",
           .suffix = "<｜fim▁hole｜>",
           .middle = "<｜fim▁end｜>",
           .header = FileHeader::kComment,
           .increment_after_middle = true,
           .stops = {"<｜end▁of▁sentence｜>"}},
    // Seed-Coder: the order of its technical report
    FimRow{.prefix = "<[fim-prefix]>",
           .suffix = "<[fim-suffix]>",
           .middle = "<[fim-middle]>",
           .layout = FimLayout::kSuffixPrefixMiddle,
           .stops = {"<[end▁of▁sentence]>"}},
    // Codestral
    FimRow{.prefix = "[PREFIX]",
           .suffix = "[SUFFIX]",
           .middle = {},
           .layout = FimLayout::kSuffixPrefix,
           .header = FileHeader::kPlus,
           .starts_prefix = true,
           .stops = {"</s>"}},
};

}  // namespace

FimFormat find_fim_format(const Architecture& architecture, const std::function<bool(std::string_view)>& has) {
  if (architecture.encoder_decoder) return {};
  const auto there = [&](std::string_view token) { return token.empty() || has(token); };
  const auto row = std::ranges::find_if(kRows, [&](const FimRow& each) {
    return has(each.prefix) && has(each.suffix) && there(each.middle) && there(each.needs) &&
           (each.lacks.empty() || !has(each.lacks));
  });
  if (row == kRows.end()) return {};
  FimFormat out;
  out.prefix = row->prefix;
  out.suffix = row->suffix;
  out.middle = row->middle;
  out.layout = row->layout;
  if (!row->repository.empty() && has(row->repository)) out.repository = row->repository;
  out.repository_end = row->repository_end;
  if (there(row->file)) {
    out.file = row->file;
    out.header = row->header;
  }
  out.starts_prefix = row->starts_prefix;
  out.increment_after_middle = row->increment_after_middle;
  for (const std::string_view stop : row->stops) {
    if (!stop.empty()) out.stops.emplace_back(stop);
  }
  return out;
}

}  // namespace weft::model
