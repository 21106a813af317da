#include "model/config/chat_formats.h"

#include <algorithm>

namespace weft::model {
namespace {

struct ChatRow {
  ChatFormat format;
  std::string_view lacks{};  // a control token that tells another family with the same ones
};

// The first row whose control tokens are all there counts.
const std::vector<ChatRow>& rows() {
  static const std::vector<ChatRow> all{
      // Qwen3 without thinking: the thought is given, and is empty. Coders of the family that never think have the same
      // tokens; nothing here tells them apart.
      {{.name = "Qwen3",
        .controls = {"<|im_start|>", "<|im_end|>", "<think>", "</think>"},
        .system = {"<|im_start|>system\n", "<|im_end|>\n"},
        .user = {"<|im_start|>user\n", "<|im_end|>\n"},
        .assistant = {"<|im_start|>assistant\n", "<|im_end|>\n"},
        .between = "",
        .answer = "<|im_start|>assistant\n<think>\n\n</think>\n\n",
        .end = "<|im_end|>"}},
      {{.name = "ChatML",
        .controls = {"<|im_start|>", "<|im_end|>"},
        .system = {"<|im_start|>system\n", "<|im_end|>\n"},
        .user = {"<|im_start|>user\n", "<|im_end|>\n"},
        .assistant = {"<|im_start|>assistant\n", "<|im_end|>\n"},
        .between = "",
        .answer = "<|im_start|>assistant\n",
        .end = "<|im_end|>"}},
      {{.name = "Llama 3",
        .controls = {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"},
        .system = {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"},
        .user = {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"},
        .assistant = {"<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"},
        .between = "",
        .answer = "<|start_header_id|>assistant<|end_header_id|>\n\n",
        .trims = true,
        .end = "<|eot_id|>"}},
      {{.name = "Granite",
        .controls = {"<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"},
        .system = {"<|start_of_role|>system<|end_of_role|>", "<|end_of_text|>\n"},
        .user = {"<|start_of_role|>user<|end_of_role|>", "<|end_of_text|>\n"},
        .assistant = {"<|start_of_role|>assistant<|end_of_role|>", "<|end_of_text|>\n"},
        .between = "",
        .answer = "<|start_of_role|>assistant<|end_of_role|>",
        .end = "<|end_of_text|>"}},
      {{.name = "Gemma",
        .controls = {"<start_of_turn>", "<end_of_turn>"},
        .system = {},
        .user = {"<start_of_turn>user\n", "<end_of_turn>\n"},
        .assistant = {"<start_of_turn>model\n", "<end_of_turn>\n"},
        .between = "",
        .answer = "<start_of_turn>model\n",
        .system_place = ChatSystem::kNone,
        .trims = true,
        .end = "<end_of_turn>"}},
      // The blank before a text is SentencePiece's.
      {{.name = "Mistral v3",
        .controls = {"[INST]", "[/INST]", "</s>"},
        .system = {"", "\n\n"},
        .user = {"[INST]", "[/INST]"},
        .assistant = {"", "</s>"},
        .between = "",
        .answer = "",
        .system_place = ChatSystem::kInLastUser,
        .starts_texts = true,
        .end = "</s>"}},
      // CodeLlama 7B, 13B and 34B; [INST] is text. The 70B speaks otherwise.
      {{.name = "CodeLlama",
        .controls = {"<s>", "</s>", "▁<PRE>"},
        .system = {"<<SYS>>\n", "\n<</SYS>>\n\n"},
        .user = {"[INST] ", " [/INST]"},
        .assistant = {" ", " </s>"},
        .between = "<s>",
        .answer = "",
        .system_place = ChatSystem::kInFirstUser,
        .trims = true,
        .starts_texts = true,
        .end = "</s>"},
       "<step>"},
  };
  return all;
}

}  // namespace

std::optional<ChatFormat> find_chat_format(const std::function<bool(std::string_view)>& has) {
  const auto row = std::ranges::find_if(rows(), [&](const ChatRow& each) {
    return std::ranges::all_of(each.format.controls, has) && (each.lacks.empty() || !has(each.lacks));
  });
  return row == rows().end() ? std::nullopt : std::optional(row->format);
}

}  // namespace weft::model
