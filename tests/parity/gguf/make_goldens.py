"""Makes the files of this folder: GGUF beside what Hugging Face's libraries read from them.

    make_goldens.py          writes beside itself; gguf 0.19.0, transformers 5.23.0, torch 2.13.0, safetensors 0.8.0

types.gguf          a matrix of random blocks of every block format; types.safetensors: the numbers, by gguf.quants
FAMILY.gguf         a tiny random model of each family, converted as llama.cpp does
FAMILY/             the same model as transformers saves it: config.json and model.safetensors

What a converter changes is written here by its own formulas, and tensors are named by the gguf package's own table. The
families that transformers reads GGUF files of are read back with it and compared.
"""

import json
import pathlib
import sys

import gguf
import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
import transformers
from gguf.quants import dequantize

HERE = pathlib.Path(__file__).resolve().parent
Q = gguf.GGMLQuantizationType
VOCABULARY = 40

# Bytes of a block that are an fp16: the rest may be anything.
BLOCKS = {Q.Q8_0: [0], Q.Q4_0: [0], Q.Q4_1: [0, 2], Q.Q5_0: [0], Q.Q5_1: [0, 2], Q.Q4_K: [0, 2], Q.Q5_K: [0, 2],
          Q.Q6_K: [208]}


def make_types(random):
    writer = gguf.GGUFWriter(HERE / "types.gguf", "llama")
    writer.add_head_count(1)
    writer.add_embedding_length(512)
    numbers = {}
    for kind, halves in BLOCKS.items():
        values, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = random.integers(0, 256, (3 * 512 // values, size), dtype=np.uint8)
        for at in halves:
            scale = random.normal(0, 0.02, (len(blocks), 1)).astype(np.float16)
            scale[0] = 6e-7  # subnormal
            blocks[:, at:at + 2] = scale.view(np.uint8)
        stored = blocks.reshape(3, -1)
        writer.add_tensor(kind.name, stored, raw_dtype=kind)
        numbers[kind.name] = dequantize(stored, kind).reshape(3, 512)
    half = random.normal(0, 1, (3, 512)).astype(np.float16)
    half[0, :8] = [0, -0.0, 6e-8, -6e-5, 65504, np.inf, -np.inf, 1]
    writer.add_tensor("F16", half)
    numbers["F16"] = half.astype(np.float32)
    finish(writer)
    safetensors.numpy.save_file(numbers, HERE / "types.safetensors")


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


SIZES = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2)
GPT2_SIZES = dict(vocab_size=VOCABULARY, n_embd=32, n_layer=1, n_head=4, n_positions=64, n_inner=128, bos_token_id=2,
                  eos_token_id=2)
NO_YARN = {"rope_type": "default", "rope_theta": 1e6}

# Folder: architecture of the file, transformers' model, its configuration.
FAMILIES = {
    "llama": ("llama", "Llama", dict(SIZES, attention_bias=True, mlp_bias=True, rms_norm_eps=1e-5, rope_parameters={
        "rope_type": "linear", "factor": 4.0, "rope_theta": 1e5})),
    "llama3": ("llama", "Llama", dict(SIZES, head_dim=16, tie_word_embeddings=True, rope_parameters={
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "rope_theta": 5e5,
        "original_max_position_embeddings": 8192})),
    "mistral": ("llama", "Mistral", dict(SIZES, sliding_window=32, rope_parameters={
        "rope_type": "default", "rope_theta": 1e4})),
    "qwen2": ("qwen2", "Qwen2", dict(SIZES, tie_word_embeddings=True, use_sliding_window=False, rope_parameters={
        "rope_type": "yarn", "factor": 4.0, "rope_theta": 1e6, "original_max_position_embeddings": 32})),
    "qwen3": ("qwen3", "Qwen3", dict(SIZES, head_dim=16, tie_word_embeddings=True, rope_parameters=NO_YARN)),
    "qwen3moe": ("qwen3moe", "Qwen3Moe", dict(SIZES, head_dim=16, num_experts=4, num_experts_per_tok=2,
                                              moe_intermediate_size=16, norm_topk_prob=True, rope_parameters=NO_YARN)),
    "starcoder2": ("starcoder2", "Starcoder2", dict(SIZES, norm_epsilon=1e-5, use_bias=True, sliding_window=4096,
                                                    tie_word_embeddings=True, rope_parameters={
                                                        "rope_type": "default", "rope_theta": 999999.4375})),
    "gemma": ("gemma", "Gemma", dict(SIZES, head_dim=16, num_key_value_heads=1, hidden_act="gelu_pytorch_tanh",
                                     hidden_activation="gelu_pytorch_tanh",
                                     rope_parameters={"rope_type": "default", "rope_theta": 1e4})),
    "granite": ("granite", "Granite", dict(SIZES, embedding_multiplier=12.0, residual_multiplier=0.22,
                                           attention_multiplier=0.015625, logits_scaling=8.0, tie_word_embeddings=True,
                                           rope_parameters={"rope_type": "default", "rope_theta": 1e4})),
    "gpt2": ("gpt2", "GPT2", GPT2_SIZES),
    "starcoder": ("starcoder", "GPTBigCode", dict(GPT2_SIZES, multi_query=True)),
}


def make_model(name, fields):
    config = getattr(transformers, f"{name}Config")(**fields, dtype="bfloat16")
    torch.manual_seed(7)
    suffix = "LMHeadModel" if name == "GPT2" else "ForCausalLM"
    model = getattr(transformers, name + suffix)(config)
    with torch.no_grad():
        for parameter in model.parameters():
            # Steps of 2^-7, so that Gemma's 1 + weight is exact.
            parameter.copy_(torch.randint(-127, 128, parameter.shape) / 128)
    return model.to(torch.bfloat16)


def permuted(weight, heads):
    """Hugging Face's halves of a head, (i, i + half), to neighbours."""
    shape = weight.shape
    return weight.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def converted(architecture, config, name, weight):
    heads, kv_heads = config.get("num_attention_heads"), config.get("num_key_value_heads")
    if architecture in ("llama", "granite"):
        if "q_proj" in name:
            return permuted(weight, heads)
        if "k_proj" in name:
            return permuted(weight, kv_heads)
    if architecture == "gemma" and name.endswith("norm.weight"):
        return weight + 1
    if architecture == "gpt2" and name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
        return weight.T
    return weight


def stacked(tensors, experts):
    """One tensor of all experts in place of one each."""
    out = {}
    for name, weight in tensors.items():
        if ".experts." not in name:
            out[name] = weight
        elif ".experts.0." in name:
            out[name.replace(".experts.0.", ".experts.")] = np.stack(
                [tensors[name.replace(".experts.0.", f".experts.{e}.")] for e in range(experts)])
    return out


def add_keys(writer, architecture, config):
    gpt2 = "n_embd" in config
    get = lambda new, old: config[old if gpt2 else new]
    writer.add_name(f"tiny {architecture}")
    writer.add_block_count(get("num_hidden_layers", "n_layer"))
    writer.add_embedding_length(get("hidden_size", "n_embd"))
    writer.add_head_count(get("num_attention_heads", "n_head"))
    writer.add_context_length(get("max_position_embeddings", "n_positions"))
    writer.add_feed_forward_length(get("intermediate_size", "n_inner"))
    if gpt2:
        writer.add_layer_norm_eps(config["layer_norm_epsilon"])
        if architecture == "starcoder":
            writer.add_head_count_kv(1)
        return
    writer.add_head_count_kv(config["num_key_value_heads"])
    if "norm_epsilon" in config:
        writer.add_layer_norm_eps(config["norm_epsilon"])
    else:
        writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    writer.add_rope_dimension_count(head_dim)
    if head_dim * config["num_attention_heads"] != config["hidden_size"]:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    rope = config["rope_parameters"]
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(rope["rope_type"]))
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if architecture == "llama" and config.get("sliding_window"):
        writer.add_sliding_window(config["sliding_window"])
    if "num_experts" in config or "num_local_experts" in config:
        writer.add_expert_count(config.get("num_experts") or config["num_local_experts"])
        writer.add_expert_used_count(config["num_experts_per_tok"])
        writer.add_expert_feed_forward_length(config["moe_intermediate_size"])
    if architecture == "granite":
        writer.add_attention_scale(config["attention_multiplier"])
        writer.add_embedding_scale(config["embedding_multiplier"])
        writer.add_residual_scale(config["residual_multiplier"])
        writer.add_logit_scale(config["logits_scaling"])


def add_tokenizer(writer):
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(["<unk>", "<s>", "</s>", *[chr(97 + i % 26) * (1 + i // 26) for i in range(VOCABULARY - 3)]])
    writer.add_token_types([2, 3, 3, *[1] * (VOCABULARY - 3)])
    writer.add_token_merges(["a a", "b b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)


def rope_divisors(config):
    rope = config["rope_parameters"]
    if rope["rope_type"] != "llama3":
        return None
    frequencies = rope["rope_theta"] ** -(np.arange(0, config["head_dim"], 2) / config["head_dim"])
    out = []
    for frequency in frequencies:
        turns = rope["original_max_position_embeddings"] * frequency / (2 * np.pi)
        low, high = rope["low_freq_factor"], rope["high_freq_factor"]
        smooth = (np.clip(turns, low, high) - low) / (high - low)
        out.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(out, dtype=np.float32)


def make_family(folder, architecture, name, fields):
    model = make_model(name, fields)
    model.save_pretrained(HERE / folder)
    (HERE / folder / "generation_config.json").unlink(missing_ok=True)
    config = json.loads((HERE / folder / "config.json").read_text())
    tensors = {key: value.float().numpy() for key, value in safetensors.torch.load_file(
        HERE / folder / "model.safetensors").items()}
    writer = gguf.GGUFWriter(HERE / f"{folder}.gguf", architecture)
    add_keys(writer, architecture, config)
    add_tokenizer(writer)
    arch = next(key for key, value in gguf.MODEL_ARCH_NAMES.items() if value == architecture)
    names = gguf.get_tensor_name_map(arch, 1)
    experts = config.get("num_experts") or config.get("num_local_experts") or 0
    for key, weight in stacked(tensors, experts).items():
        new = names.get_name(key, try_suffixes=(".weight", ".bias"))
        assert new, key
        weight = np.ascontiguousarray(converted(architecture, config, key, weight))
        if weight.ndim == 1:
            writer.add_tensor(new, weight)
        else:
            bf16 = torch.from_numpy(weight).to(torch.bfloat16).view(torch.uint8).numpy()
            writer.add_tensor(new, bf16, raw_dtype=Q.BF16)
    if "rope_parameters" in config and (divisors := rope_divisors(config)) is not None:
        writer.add_tensor("rope_freqs.weight", divisors)
    finish(writer)
    compare(folder, model)


def compare(folder, model):
    try:
        read = type(model).from_pretrained(HERE, gguf_file=f"{folder}.gguf", dtype=torch.float32,
                                           config=model.config)
    except (ValueError, KeyError, NotImplementedError, RuntimeError, AttributeError) as error:
        print(f"{folder}: not read by transformers: {str(error)[:90]}", file=sys.stderr)
        return
    own = model.state_dict()
    differing = [key for key, value in read.state_dict().items() if not torch.equal(value, own[key].float())]
    print(f"{folder}: transformers reads the same but for {differing}", file=sys.stderr)


def main():
    make_types(np.random.default_rng(11))
    for folder, (architecture, name, fields) in FAMILIES.items():
        make_family(folder, architecture, name, fields)


if __name__ == "__main__":
    main()
