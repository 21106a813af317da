#include "generation/completion/fim_prompt.h"

#include <optional>
#include <span>
#include <string_view>

namespace weft::generation {
namespace {

using model::FileHeader;
using model::FimLayout;

class Layout {
 public:
  Layout(const FimParts& parts, const model::FimFormat& format, const model::Tokenizer& tokenizer)
      : parts_(parts), format_(format), tokenizer_(tokenizer) {
    const bool told = format.header != FileHeader::kNone && !parts.context.empty();
    const bool in_prefix = format.header == FileHeader::kComment || format.header == FileHeader::kPlus;
    told_before_ = told && !in_prefix;
    told_in_prefix_ = told && in_prefix;
  }

  Expected<std::vector<TokenId>> tokens() && {
    if (told_before_) files_before();
    switch (format_.layout) {
      case FimLayout::kPsm:
        part(format_.prefix, &Layout::prefix);
        part(format_.suffix, &Layout::suffix);
        control(format_.middle);
        break;
      case FimLayout::kSpm:
        control(format_.prefix);
        part(format_.suffix, &Layout::suffix);
        part(format_.middle, &Layout::prefix);
        break;
      case FimLayout::kSuffixPrefixMiddle:
      case FimLayout::kSuffixPrefix:
        part(format_.suffix, &Layout::suffix);
        part(format_.prefix, &Layout::prefix);
        control(format_.middle);
        break;
    }
    flush();
    if (missing_) return make_error("the model names the fim token {}, which its tokenizer does not have", *missing_);
    return std::move(out_);
  }

 private:
  void control(std::string_view name) {
    if (name.empty()) return;
    flush();
    const auto id = tokenizer_.control(name);
    if (id) {
      out_.push_back(*id);
    } else if (!missing_) {
      missing_ = name;
    }
  }
  void part(std::string_view token, void (Layout::*what)()) {
    control(token);
    (this->*what)();
  }
  void tokens(std::span<const TokenId> some) {
    flush();
    out_.insert(out_.end(), some.begin(), some.end());
  }
  void text(std::string_view some) { text_ += some; }
  void flush() {
    if (text_.empty()) return;
    const auto ids = starts_ ? tokenizer_.encode_start(text_) : tokenizer_.encode(text_);
    text_.clear();
    out_.insert(out_.end(), ids.begin(), ids.end());
  }

  // What stands before a file's text.
  void header(const std::string& path) {
    switch (format_.header) {
      case FileHeader::kNone:
        break;
      case FileHeader::kPathLine:
      case FileHeader::kPathInPrefix:
        control(format_.file);
        text(path + "\n");
        break;
      case FileHeader::kSeparator:
        control(format_.file);
        break;
      case FileHeader::kComment:
        text(fmt::format("#{}\n", path));
        break;
      case FileHeader::kPlus:
        text(fmt::format("+++++ {}\n", path));
        break;
    }
  }

  void files_before() {
    if (!format_.repository.empty() && !parts_.repository.empty()) {
      control(format_.repository);
      text(parts_.repository + format_.repository_end);
    }
    const bool between = format_.header == FileHeader::kSeparator;
    for (const FimFile& file : parts_.context) {
      if (!between || &file != parts_.context.data()) header(file.path);
      text(file.text);
    }
    format_.header == FileHeader::kPathInPrefix ? control(format_.file) : header(parts_.path);
  }

  void prefix() {
    if (told_before_ && format_.header == FileHeader::kPathInPrefix) text(parts_.path + "\n");
    if (told_in_prefix_) {
      starts_ = format_.starts_prefix;
      for (const FimFile& file : parts_.context) {
        header(file.path);
        text(file.text);
      }
      header(parts_.path);
    }
    tokens(parts_.prefix);
    starts_ = false;
  }
  void suffix() { tokens(parts_.suffix); }

  const FimParts& parts_;
  const model::FimFormat& format_;
  const model::Tokenizer& tokenizer_;
  bool told_before_, told_in_prefix_;  // the context files
  std::string text_;                   // not encoded yet
  bool starts_ = false;                // it is the start of a text
  std::vector<TokenId> out_;
  std::optional<std::string> missing_;
};

}  // namespace

Expected<std::vector<TokenId>> lay_out(const FimParts& parts, const model::FimFormat& format,
                                       const model::Tokenizer& tokenizer) {
  return Layout(parts, format, tokenizer).tokens();
}

}  // namespace weft::generation
