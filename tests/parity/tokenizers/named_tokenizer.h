// NamedTokenizer: a tokenizer of a golden with the control tokens of one of the families that share its texts.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/tokenizer/tokenizer.h"

namespace weft::test {

class NamedTokenizer final : public model::Tokenizer {
 public:
  NamedTokenizer(std::shared_ptr<const model::Tokenizer> own, const nlohmann::json& ids_by_name)
      : own_(std::move(own)), controls_(ids_by_name) {}
  [[nodiscard]] std::size_t vocabulary() const override { return own_->vocabulary(); }
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const override { return own_->encode(text); }
  [[nodiscard]] std::vector<TokenId> encode_start(std::string_view text) const override {
    return own_->encode_start(text);
  }
  [[nodiscard]] std::string_view bytes(TokenId id) const override { return own_->bytes(id); }
  [[nodiscard]] std::optional<TokenId> control(std::string_view name) const override {
    const auto found = controls_.find(std::string(name));
    return found == controls_.end() ? std::nullopt : std::optional(TokenId(found->get<std::int32_t>()));
  }

 private:
  const std::shared_ptr<const model::Tokenizer> own_;
  const nlohmann::json controls_;
};

}  // namespace weft::test
