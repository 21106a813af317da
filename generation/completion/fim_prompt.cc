#include "generation/completion/fim_prompt.h"

#include <string_view>

#include "generation/prompt_tokens.h"

namespace weft::generation {
namespace {

using model::FileHeader;
using model::FimLayout;

class Layout {
 public:
  Layout(const FimParts& parts, const model::FimFormat& format, const model::Tokenizer& tokenizer)
      : parts_(parts), format_(format), out_(tokenizer) {
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
        out_.control(format_.middle);
        out_.tokens(parts_.increment);
        break;
      case FimLayout::kSpm:
        out_.control(format_.prefix);
        part(format_.suffix, &Layout::suffix);
        part(format_.middle, &Layout::prefix);
        break;
      case FimLayout::kSuffixPrefixMiddle:
      case FimLayout::kSuffixPrefix:
        part(format_.suffix, &Layout::suffix);
        part(format_.prefix, &Layout::prefix);
        out_.control(format_.middle);
        break;
    }
    if (const auto& missing = out_.missing()) {
      return make_error("the model names the fim token {}, which its tokenizer does not have", *missing);
    }
    return std::move(out_).take();
  }

 private:
  void part(std::string_view token, void (Layout::*what)()) {
    out_.control(token);
    (this->*what)();
  }

  // What stands before a file's text.
  void header(const std::string& path) {
    switch (format_.header) {
      case FileHeader::kNone:
        break;
      case FileHeader::kPathLine:
      case FileHeader::kPathInPrefix:
        out_.control(format_.file);
        out_.text(path + "\n");
        break;
      case FileHeader::kSeparator:
        out_.control(format_.file);
        break;
      case FileHeader::kComment:
        out_.text(fmt::format("#{}\n", path));
        break;
      case FileHeader::kPlus:
        out_.text(fmt::format("+++++ {}\n", path));
        break;
    }
  }

  void files_before() {
    if (!format_.repository.empty() && !parts_.repository.empty()) {
      out_.control(format_.repository);
      out_.text(parts_.repository + format_.repository_end);
    }
    const bool between = format_.header == FileHeader::kSeparator;
    for (const FimFile& file : parts_.context) {
      if (!between || &file != parts_.context.data()) header(file.path);
      out_.text(file.text);
    }
    format_.header == FileHeader::kPathInPrefix ? out_.control(format_.file) : header(parts_.path);
  }

  void prefix() {
    if (told_before_ && format_.header == FileHeader::kPathInPrefix) out_.text(parts_.path + "\n");
    if (told_in_prefix_) {
      out_.start_texts(format_.starts_prefix);
      for (const FimFile& file : parts_.context) {
        header(file.path);
        out_.text(file.text);
      }
      header(parts_.path);
    }
    out_.tokens(parts_.prefix);
    out_.start_texts(false);
  }
  void suffix() { out_.tokens(parts_.suffix); }

  const FimParts& parts_;
  const model::FimFormat& format_;
  bool told_before_, told_in_prefix_;  // the context files
  PromptTokens out_;
};

}  // namespace

Expected<std::vector<TokenId>> lay_out(const FimParts& parts, const model::FimFormat& format,
                                       const model::Tokenizer& tokenizer) {
  return Layout(parts, format, tokenizer).tokens();
}

}  // namespace weft::generation
