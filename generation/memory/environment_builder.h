// EnvironmentBuilder: writes an EnvironmentIndex's file. The order is sorted part by part and the parts are merged, so
// that building takes some 30 MB of memory however much there is; of a tie either is first. One thread; it waits for
// the disk.
//
// Why parts and a sort that stops after 32 tokens, and no suffix array of the whole: that takes five bytes of memory a
// byte of text, 400 MB for 40 M tokens, and an order beyond what a search compares is of no use to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "generation/memory/environment_format.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"
#include "model/base/strong_id.h"

namespace weft::generation {

class EnvironmentBuilder {
 public:
  // path: of the file, which is replaced; path + ".places" is used in between. part_tokens: what is sorted at once.
  static Expected<EnvironmentBuilder> create(std::string path, std::size_t part_tokens = std::size_t{1} << 20);
  EnvironmentBuilder(EnvironmentBuilder&&) noexcept;
  EnvironmentBuilder& operator=(EnvironmentBuilder&&) noexcept;
  ~EnvironmentBuilder();  // takes away what is used in between

  // The next file's text; every token below kEndOfText. Error: the disk's.
  Expected<void> add(const EnvironmentPackage& package, std::string path, std::span<const TokenId> tokens);
  [[nodiscard]] std::size_t tokens() const;
  // The file is whole afterwards, and on the disk. Error: the disk's, or cancelled.
  Expected<void> finish(std::uint64_t key, const CancelFlag& cancel);

 private:
  struct State;
  explicit EnvironmentBuilder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weft::generation
