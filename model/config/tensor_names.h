// How a family's checkpoints name the tensors of a decoder. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weft::model {

// Modules, without ".weight" and ".bias". Those of a block stand behind `block`, its number and a point. Empty: the
// family has none.
struct TensorNames {
  std::string_view embedding{}, positions{}, block{}, final_norm{}, head{};
  std::string_view input_norm{}, q{}, k{}, v{};
  std::string_view qkv{};  // q, k and v in one, in this order, in place of the three
  std::string_view o{}, q_norm{}, k_norm{}, post_attention_norm{};
  std::string_view gate{}, up{}, down{};  // a plain MLP has no gate
  std::string_view router{}, experts{};   // of an expert: `experts`.E.`expert_gate` and so on
  std::string_view expert_gate{}, expert_up{}, expert_down{};
};

}  // namespace weft::model
