// What is in a checkpoint, without loading it: for `weft models`. Free of torch. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/weights/checkpoint.h"

namespace weft::model {

struct InspectOptions {
  bool check_values = false;  // reads every number
  std::function<void(double fraction)> progress{};
};

// Bytes that the weights take when loaded in each format; without KV and the program itself.
struct MemoryNeeds {
  std::uint64_t fp32 = 0, bf16 = 0, int8 = 0, int4 = 0;  // int4: groups of 64, the head in int8
};

struct NotFinite {
  std::string tensor;
  std::uint64_t nan = 0, infinite = 0;
};

struct ModelReport {
  std::string path, format;  // "safetensors", "GGUF"
  std::string name, family;  // family: "Qwen2ForCausalLM"
  std::vector<CheckpointFile> files;
  std::uint64_t bytes = 0;                      // of the files
  std::map<std::string, std::uint64_t> dtypes;  // bytes of the tensors of each
  std::string quantization;                     // "none", "int8", "int4, groups of 64", "Q4_K"
  std::uint64_t parameters = 0;
  int layers = 0, hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, vocabulary = 0, context = 0;
  std::uint64_t kv_bytes_per_token = 0;  // in bf16
  MemoryNeeds memory;
  std::string tokenizer;  // "byte pair encoding"; empty: none is there
  std::size_t tokens = 0;
  std::vector<std::string> fim;                 // control tokens for infilling: prefix, suffix, middle; empty: none
  std::vector<std::string> missing, misshapen;  // misshapen: "NAME is [2, 3], expected [3, 2]"
  std::vector<std::string> unused;              // tensors that the model does not ask for
  std::optional<std::vector<NotFinite>> not_finite;  // with check_values
  std::string refusal;                               // why it cannot be loaded; empty: it can
};

// Never an error: what cannot be read is `refusal`, and the report then holds what was known by then.
ModelReport inspect(const std::string& path, const InspectOptions& options = {});

}  // namespace weft::model
