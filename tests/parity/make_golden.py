"""Makes the goldens of the parity test with transformers, the reference that weft's decoder is held to.

Development only; the goldens are committed. Needs torch 2.13.0, transformers 5.23.0 and safetensors, then:

    python tests/parity/make_golden.py tests/parity/golden [FAMILY ...]

Each family gets a tiny seeded random checkpoint and, for two documents, the ids and the output of every stage, in fp32
("a.norm") and in bf16 ("bf16.a.norm", kept in fp32). Weights keep
activations near 1, where rounding alone stays far below the tolerance and a wrong part of the block does not. "a.greedy"
is what follows the document a.

Of an encoder-decoder a document is a source and an answer, the stages are those of both halves in fp32, and
"a.greedy" is what transformers generates with its cache. "buckets.both" and "buckets.backward" are the numbers of T5's
usual buckets for key position - query position = -300 … 300.
"""

import json
import pathlib
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file

SHAPE = dict(vocab_size=128, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=256, attn_implementation="eager")
FAMILIES = {
    "llama": (transformers.LlamaConfig, dict(rms_norm_eps=1e-5)),
    "llama_bias": (transformers.LlamaConfig, dict(rms_norm_eps=1e-5, attention_bias=True, mlp_bias=True,
                                                  tie_word_embeddings=True, rope_theta=5e4)),
    "qwen2": (transformers.Qwen2Config, dict(rms_norm_eps=1e-6, rope_theta=1e6, tie_word_embeddings=True)),
    "qwen3": (transformers.Qwen3Config, dict(rms_norm_eps=1e-6, rope_theta=1e6, head_dim=32)),
    # Drawn after those above; a new one goes to the end, so that the others stay as they are.
    "deepseek_coder": (transformers.LlamaConfig, dict(
        num_key_value_heads=4, rope_parameters=dict(rope_type="linear", factor=4.0, rope_theta=1e5))),
    "llama3": (transformers.LlamaConfig, dict(rope_parameters=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, rope_theta=5e5,
        original_max_position_embeddings=32))),
    "mistral": (transformers.MistralConfig, dict(sliding_window=6, head_dim=24)),
    "qwen2_window": (transformers.Qwen2Config, dict(use_sliding_window=True, sliding_window=5, max_window_layers=1)),
    "qwen2_yarn": (transformers.Qwen2Config, dict(rope_parameters=dict(
        rope_type="yarn", factor=4.0, rope_theta=1e4, original_max_position_embeddings=64))),
    "qwen3_moe": (transformers.Qwen3MoeConfig, dict(
        num_hidden_layers=3, head_dim=24, num_experts=6, num_experts_per_tok=2, moe_intermediate_size=32,
        norm_topk_prob=True, mlp_only_layers=[1])),
    "starcoder2": (transformers.Starcoder2Config, dict(sliding_window=7, bos_token_id=0, eos_token_id=0)),
    "gemma": (transformers.GemmaConfig, dict(head_dim=32, num_key_value_heads=1)),
    "granite": (transformers.GraniteConfig, dict(
        attention_bias=True, mlp_bias=True, embedding_multiplier=3.0, residual_multiplier=0.4,
        attention_multiplier=0.4, logits_scaling=2.5, tie_word_embeddings=True)),
    "stablelm": (transformers.StableLmConfig, dict(partial_rotary_factor=0.25, use_qkv_bias=True)),
    "mellum": (transformers.MellumConfig, dict(
        num_hidden_layers=3, head_dim=24, num_experts=5, num_experts_per_tok=2, moe_intermediate_size=32,
        sliding_window=5, layer_types=["full_attention", "sliding_attention", "sliding_attention"],
        mlp_layer_types=["sparse", "dense", "sparse"])),
    "gpt_bigcode": (transformers.GPTBigCodeConfig, dict(bos_token_id=0, eos_token_id=0)),
    "gpt2": (transformers.GPT2Config, dict(bos_token_id=0, eos_token_id=0)),
}
GPT2_SHAPE = dict(vocab_size=128, n_embd=64, n_inner=96, n_layer=2, n_head=4, n_positions=64,
                  attn_implementation="eager")
SEEDS = {"llama": 1, "llama_bias": 2, "qwen2": 3, "qwen3": 4}  # those made first
DOCUMENTS = {"a": 23, "b": 14}  # name: tokens


ENCODER_DECODER_SHAPE = dict(vocab_size=96, d_model=32, d_kv=12, num_heads=4, d_ff=48, num_layers=2,
                             num_decoder_layers=3, relative_attention_num_buckets=8,
                             relative_attention_max_distance=15, n_positions=64, decoder_start_token_id=0)
ENCODER_DECODERS = {
    "t5": dict(feed_forward_proj="relu"),
    "t5_v1_1": dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False),
}
PAIRS = {"a": (23, 17), "b": (11, 9)}  # name: tokens of the source, of the answer
GREEDY_TOKENS = 16


def draw_weights(model, generator):
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        with torch.no_grad():
            if name.endswith("norm.weight") or ".ln_" in name and name.endswith("weight"):
                # Gemma's factor is one more than its weight.
                parameter.copy_((0 if model.config.model_type == "gemma" else 1) + 0.2 * noise)
            elif name.endswith("bias"):
                parameter.copy_(0.2 * noise)
            elif any(part in name for part in ("embed_tokens", "shared", "wte", "wpe")):
                parameter.copy_(noise * 0.25)
            else:
                conv = "c_" in name and model.config.model_type == "gpt2"  # [in, out]
                inputs = parameter.shape[-2] if conv else parameter.shape[-1]
                parameter.copy_(noise * inputs ** -0.5 * (2 if name.endswith("mlp.gate.weight") else 0.8))


def watch(modules, run):
    """What each of the modules, given by stage, puts out while `run` runs."""
    seen = {}

    def keep(stage):
        def hook(_module, _inputs, output):
            output = output[0] if isinstance(output, tuple) else output
            seen[stage] = output.detach().float().reshape(-1, output.shape[-1]).contiguous()
        return hook

    hooks = [module.register_forward_hook(keep(stage)) for stage, module in modules.items()]
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    return seen


def stages(model, ids):
    """The output of every block and what enters the first, in weft's names of stages."""
    body = model.transformer if hasattr(model, "transformer") else model.model
    blocks = body.h if hasattr(body, "h") else body.layers
    watched = {"norm": body.ln_f if hasattr(body, "ln_f") else body.norm}
    watched |= {f"block.{i}": layer for i, layer in enumerate(blocks)}
    entered = {}

    def keep(_module, inputs, keywords):
        hidden = inputs[0] if inputs else keywords["hidden_states"]
        entered["embedding"] = hidden.detach().float().reshape(-1, hidden.shape[-1]).contiguous()

    hook = blocks[0].register_forward_pre_hook(keep, with_kwargs=True)
    out = []
    seen = watch(watched, lambda: out.append(model(input_ids=ids.unsqueeze(0), use_cache=False)))
    hook.remove()
    return seen | entered | {"logits": out[0].logits[0].float().contiguous()}


def chosen_clearly(model, ids):
    """No router of experts stands so near to another choice that rounding to bf16 could change it."""
    routers = {name: module for name, module in model.named_modules() if name.endswith("mlp.gate")}
    closest = [1.0]

    def measure(module, inputs):
        logits = inputs[0].reshape(-1, inputs[0].shape[-1]) @ module.weight.T
        best = logits.sort(dim=-1, descending=True).values
        closest.append((best[:, module.top_k - 1] - best[:, module.top_k]).min().item())

    hooks = [module.register_forward_pre_hook(measure) for module in routers.values()]
    with torch.no_grad():
        model(input_ids=ids.unsqueeze(0), use_cache=False)
    for hook in hooks:
        hook.remove()
    return min(closest) > 0.04


def continued(model, ids):
    tokens = ids
    with torch.no_grad():
        for _ in range(GREEDY_TOKENS):
            logits = model(input_ids=tokens.unsqueeze(0), use_cache=False).logits[0, -1]
            tokens = torch.cat([tokens, logits.argmax().reshape(1)])
    return tokens[len(ids):].clone()


def saved_weights(model):
    """By the names of the files that save_pretrained writes, which for experts are not those of the parameters."""
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved)
        return load_file(pathlib.Path(saved) / "model.safetensors")


def make(family, folder):
    config_class, options = FAMILIES[family]
    config = config_class(**(GPT2_SHAPE if family.startswith("gpt") else SHAPE) | options)
    generator = torch.Generator().manual_seed(SEEDS.get(family, list(FAMILIES).index(family) + 201))
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    draw_weights(model, generator)
    while True:
        documents = {name: torch.randint(0, config.vocab_size, (length,), generator=generator)
                     for name, length in DOCUMENTS.items()}
        if all(chosen_clearly(model, ids) for ids in documents.values()):
            break
    weights = saved_weights(model)
    golden = {f"{name}.ids": ids for name, ids in documents.items()}
    for name, ids in documents.items():
        golden |= {f"{name}.{stage}": value for stage, value in stages(model, ids).items()}
    golden["a.greedy"] = continued(model, documents["a"])
    model.to(torch.bfloat16)
    for name, ids in documents.items():
        golden |= {f"bf16.{name}.{stage}": value for stage, value in stages(model, ids).items()}

    write(folder, model, weights, golden)


def write(folder, model, weights, golden):
    folder.mkdir(parents=True, exist_ok=True)
    written = {key: value for key, value in model.config.to_dict().items() if key != "transformers_version"}
    written["architectures"] = [type(model).__name__]
    (folder / "config.json").write_text(json.dumps(written, indent=2, sort_keys=True) + "\n")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    save_file(golden, folder / "golden.safetensors", metadata={"transformers": transformers.__version__})


def draw_encoder_decoder_weights(model, generator):
    draw_weights(model, generator)
    with torch.no_grad():
        # Scores are not scaled: smaller queries keep attention from falling on one key. A decoder that listens to its
        # own tokens more than to the source does not generate one token for ever.
        for name, parameter in model.named_parameters():
            if name.endswith(".q.weight"):
                parameter.mul_(0.5)
            elif name.startswith("decoder") and name.endswith(("SelfAttention.o.weight", "DenseReluDense.wo.weight")):
                parameter.mul_(3)
            elif "relative_attention_bias" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator))


def encoder_decoder_stages(model, source, answer):
    watched = {"logits": model.lm_head}
    for name, stack in (("encoder", model.encoder), ("decoder", model.decoder)):
        watched |= {f"{name}.embedding": stack.embed_tokens, f"{name}.norm": stack.final_layer_norm}
        watched |= {f"{name}.block.{i}": layer for i, layer in enumerate(stack.block)}
    return watch(watched, lambda: model(input_ids=source.unsqueeze(0), decoder_input_ids=answer.unsqueeze(0),
                                        use_cache=False))


def greedy(model, source):
    # Not generate(), which counts the encoder's layers when it makes the cache.
    cache = transformers.EncoderDecoderCache(transformers.DynamicCache(), transformers.DynamicCache())
    token, tokens = torch.tensor([[model.config.decoder_start_token_id]]), []
    with torch.no_grad():
        encoded = model.encoder(input_ids=source.unsqueeze(0))
        for _ in range(GREEDY_TOKENS):
            out = model(encoder_outputs=encoded, decoder_input_ids=token, past_key_values=cache, use_cache=True)
            token = out.logits[:, -1].argmax(-1, keepdim=True)
            tokens.append(token.item())
    return torch.tensor(tokens)


def bucket_goldens():
    relative = torch.arange(-300, 301)
    bucket = transformers.models.t5.modeling_t5.T5Attention._relative_position_bucket
    return {"buckets.both": bucket(relative, bidirectional=True), "buckets.backward": bucket(relative, bidirectional=False)}


def make_encoder_decoder(family, folder):
    options = ENCODER_DECODERS[family]
    config = transformers.T5Config(**ENCODER_DECODER_SHAPE, **options)
    generator = torch.Generator().manual_seed(sorted(ENCODER_DECODERS).index(family) + 101)
    model = transformers.T5ForConditionalGeneration._from_config(config, attn_implementation="eager").float().eval()
    tied = options.get("tie_word_embeddings", True)
    if not tied:
        model.lm_head.weight = torch.nn.Parameter(torch.zeros(config.vocab_size, config.d_model))
    draw_encoder_decoder_weights(model, generator)

    weights = {name: value.clone().contiguous() for name, value in model.state_dict().items()}
    for name in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", *(["lm_head.weight"] if tied else [])):
        weights.pop(name)
    golden = bucket_goldens() if family == "t5" else {}
    for name, (source_tokens, answer_tokens) in PAIRS.items():
        source = torch.randint(2, config.vocab_size, (source_tokens,), generator=generator)
        answer = torch.randint(2, config.vocab_size, (answer_tokens,), generator=generator)
        answer[0] = config.decoder_start_token_id
        golden |= {f"{name}.source": source, f"{name}.answer": answer}
        golden |= {f"{name}.{stage}": value for stage, value in encoder_decoder_stages(model, source, answer).items()}
        golden[f"{name}.greedy"] = greedy(model, source)
    write(folder, model, weights, golden)


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: make_golden.py FOLDER [FAMILY ...]")
    torch.set_num_threads(1)
    wanted = sys.argv[2:] or [*FAMILIES, *ENCODER_DECODERS]
    for family in (name for name in FAMILIES if name in wanted):
        make(family, pathlib.Path(sys.argv[1]) / family)
    for family in (name for name in ENCODER_DECODERS if name in wanted):
        make_encoder_decoder(family, pathlib.Path(sys.argv[1]) / family)


if __name__ == "__main__":
    main()
