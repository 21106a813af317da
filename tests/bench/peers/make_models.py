"""Makes the models that the peers are compared with: random weights in the shape of Qwen2.5-Coder, in each peer's format
and from the same numbers. What is there already is left alone.

    make_models.py 0.5b | 1.5b FOLDER

FOLDER/hf: safetensors (bf16), config.json, a tokenizer of the right size. FOLDER/q8_0.gguf and q4_0.gguf: llama.cpp's own
quantiser. FOLDER/openvino-int8 and -int4: optimum-intel's export with its default compression.
"""

import ctypes
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file

SHAPES = {"0.5b": {"hidden_size": 896, "num_hidden_layers": 24, "num_attention_heads": 14, "intermediate_size": 4864},
          "1.5b": {"hidden_size": 1536, "num_hidden_layers": 28, "num_attention_heads": 12, "intermediate_size": 8960}}
COMMON = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 151936, "num_key_value_heads": 2,
          "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "max_position_embeddings": 32768,
          "tie_word_embeddings": True, "torch_dtype": "bfloat16", "bos_token_id": 151643, "eos_token_id": 151643,
          "attention_dropout": 0.0, "initializer_range": 0.02, "use_cache": True, "use_sliding_window": False}
SPECIAL = {"<|endoftext|>": 151643, "<|fim_prefix|>": 151659, "<|fim_middle|>": 151660, "<|fim_suffix|>": 151661,
           "<|fim_pad|>": 151662, "<|repo_name|>": 151663, "<|file_sep|>": 151664}


def tensors(config):
    """Name and shape of each tensor, as Hugging Face names them."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    kv = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    yield "model.embed_tokens.weight", (config["vocab_size"], hidden)
    yield "model.norm.weight", (hidden,)
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        for name, rows in (("q", hidden), ("k", kv), ("v", kv)):
            yield f"{at}self_attn.{name}_proj.weight", (rows, hidden)
            yield f"{at}self_attn.{name}_proj.bias", (rows,)
        yield at + "self_attn.o_proj.weight", (hidden, hidden)
        yield at + "mlp.gate_proj.weight", (inner, hidden)
        yield at + "mlp.up_proj.weight", (inner, hidden)
        yield at + "mlp.down_proj.weight", (hidden, inner)
        yield at + "input_layernorm.weight", (hidden,)
        yield at + "post_attention_layernorm.weight", (hidden,)


def make_tokenizer(folder):
    """Byte-level BPE whose tokens are bytes, pairs and triples of them: as many as the model has rows for."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in visible] + [chr(256 + i) for i in range(256 - len(visible))]
    vocabulary, merges = {letter: i for i, letter in enumerate(letters)}, []
    parts = list(letters)
    for left in parts:  # grows while it is walked: pairs are followed by triples
        for right in letters:
            if len(vocabulary) == min(SPECIAL.values()):
                break
            vocabulary[left + right] = len(vocabulary)
            merges.append([left, right])
            parts.append(left + right)
    added = [{"id": token_id, "content": text, "special": True, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False} for text, token_id in SPECIAL.items()]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": r"\s?\p{L}+|\p{N}|\s?[^\s\p{L}\p{N}]+|\s+"}, "behavior": "Isolated",
             "invert": False}
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
                 "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]}, "post_processor": None,
                 "decoder": byte_level,
                 "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                           "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False,
                           "vocab": vocabulary, "merges": merges}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}))


def make_checkpoint(folder, config):
    """Normal weights of the usual size, norms of one."""
    generator = torch.Generator().manual_seed(1)
    weights = {}
    for name, shape in tensors(config):
        values = torch.empty(shape).normal_(0, 0.02, generator=generator) if "norm" not in name else torch.ones(shape)
        weights[name] = values.to(torch.bfloat16)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": config["eos_token_id"]}))
    make_tokenizer(folder)


GGUF_NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
              "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
              "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}


def gguf_name(name):
    if not name.startswith("model.layers."):
        return {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}[name]
    _, _, layer, rest = name.split(".", 3)
    module, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{GGUF_NAMES[module]}.{kind}"


def add_vocabulary(writer, checkpoint, rows):
    """The checkpoint's tokenizer: peers are given ids, but llama.cpp's server writes what it generates as text."""
    import gguf
    tokenizer = json.loads((checkpoint / "tokenizer.json").read_text())
    tokens = [f"[unused{i}]" for i in range(rows)]
    kinds = [gguf.TokenType.UNUSED] * rows
    for text, at in tokenizer["model"]["vocab"].items():
        tokens[at], kinds[at] = text, gguf.TokenType.NORMAL
    for text, at in SPECIAL.items():
        tokens[at], kinds[at] = text, gguf.TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(SPECIAL["<|endoftext|>"])


def write_gguf(path, checkpoint, config):
    """fp16."""
    import gguf
    writer = gguf.GGUFWriter(path, "qwen2")
    head = config["hidden_size"] // config["num_attention_heads"]
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    add_vocabulary(writer, checkpoint, config["vocab_size"])
    for name, tensor in load_file(checkpoint / "model.safetensors").items():
        kind = np.float32 if tensor.dim() == 1 else np.float16  # as llama.cpp wants norms and biases
        writer.add_tensor(gguf_name(name), tensor.float().numpy().astype(kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quantize_gguf(source, target, file_type):
    import llama_cpp
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.nthread = file_type, 2
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params)) != 0:
        sys.exit(f"llama.cpp cannot quantise {source}")


def export_openvino(checkpoint, target, bits):
    command = ["export", "openvino", "--model", checkpoint, "--task", "text-generation-with-past",
               "--weight-format", f"int{bits}", target]
    subprocess.run([pathlib.Path(sys.executable).parent / "optimum-cli", *command], check=True)


def make(target, function):
    """function(path) into a place beside, which becomes `target` when it is whole."""
    if target.exists():
        return
    print(f"making {target}", flush=True)
    half = target.with_name("half-" + target.name)
    shutil.rmtree(half, ignore_errors=True)
    half.unlink(missing_ok=True)
    function(half)
    half.rename(target)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in SHAPES:
        sys.exit(f"usage: make_models.py {' | '.join(SHAPES)} FOLDER")
    config, folder = COMMON | SHAPES[sys.argv[1]], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, fp16 = folder / "hf", folder / "fp16.gguf"
    make(checkpoint, lambda path: (path.mkdir(), make_checkpoint(path, config)))
    import llama_cpp
    for name, kind in (("q8_0", llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0), ("q4_0", llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0)):
        if not (folder / f"{name}.gguf").exists():
            make(fp16, lambda path: write_gguf(path, checkpoint, config))
            make(folder / f"{name}.gguf", lambda path, kind=kind: quantize_gguf(fp16, path, kind))
    fp16.unlink(missing_ok=True)
    for bits in (8, 4):
        make(folder / f"openvino-int{bits}", lambda path, bits=bits: export_openvino(checkpoint, path, bits))


if __name__ == "__main__":
    main()
