// How families are asked to fill in: control tokens by their texts, and the order of a prompt's parts. Pure.
#pragma once

#include <functional>
#include <string_view>

#include "model/config/model_config.h"

namespace weft::model {

// The row that fits a model, told apart by the control tokens of its vocabulary and, where families share those, by its
// architecture. `has` says whether the tokenizer has a control token of that text. Not available(): none fits.
FimFormat find_fim_format(const Architecture& architecture, const std::function<bool(std::string_view)>& has);

}  // namespace weft::model
