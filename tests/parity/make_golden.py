"""Makes the goldens of the parity test with transformers, the reference that weft's decoder is held to.

Development only; the goldens are committed. Needs torch 2.13.0, transformers 5.23.0 and safetensors, then:

    python tests/parity/make_golden.py tests/parity/golden

Each family gets a tiny seeded random checkpoint and, for two documents, the ids and the output of every stage, in fp32
("a.norm") and in bf16 ("bf16.a.norm", kept in fp32). Weights keep
activations near 1, where rounding alone stays far below the tolerance and a wrong part of the block does not.
"""

import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file

SHAPE = dict(vocab_size=128, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=256, attn_implementation="eager")
FAMILIES = {
    "llama": (transformers.LlamaConfig, dict(rms_norm_eps=1e-5)),
    "llama_bias": (transformers.LlamaConfig, dict(rms_norm_eps=1e-5, attention_bias=True, mlp_bias=True,
                                                  tie_word_embeddings=True, rope_theta=5e4)),
    "qwen2": (transformers.Qwen2Config, dict(rms_norm_eps=1e-6, rope_theta=1e6, tie_word_embeddings=True)),
    "qwen3": (transformers.Qwen3Config, dict(rms_norm_eps=1e-6, rope_theta=1e6, head_dim=32)),
}
DOCUMENTS = {"a": 23, "b": 14}  # name: tokens


def draw_weights(model, generator):
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        with torch.no_grad():
            if name.endswith("norm.weight"):
                parameter.copy_(1 + 0.2 * noise)
            elif name.endswith("bias"):
                parameter.copy_(0.2 * noise)
            elif "embed_tokens" in name:
                parameter.copy_(noise * 0.25)
            else:
                parameter.copy_(noise * parameter.shape[1] ** -0.5 * 0.8)


def stages(model, ids):
    seen = {}
    watched = {"embedding": model.model.embed_tokens, "norm": model.model.norm, "logits": model.lm_head}
    watched |= {f"block.{i}": layer for i, layer in enumerate(model.model.layers)}

    def keep(stage):
        def hook(_module, _inputs, output):
            output = output[0] if isinstance(output, tuple) else output
            seen[stage] = output.detach().float().reshape(len(ids), -1).contiguous()
        return hook

    hooks = [module.register_forward_hook(keep(stage)) for stage, module in watched.items()]
    with torch.no_grad():
        model(input_ids=ids.unsqueeze(0), use_cache=False)
    for hook in hooks:
        hook.remove()
    return seen


def make(family, folder):
    config_class, options = FAMILIES[family]
    config = config_class(**SHAPE, **options)
    generator = torch.Generator().manual_seed(sorted(FAMILIES).index(family) + 1)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    draw_weights(model, generator)
    documents = {name: torch.randint(0, config.vocab_size, (length,), generator=generator)
                 for name, length in DOCUMENTS.items()}
    weights = {name: value.clone().contiguous() for name, value in model.state_dict().items()}
    if config.tie_word_embeddings:
        weights.pop("lm_head.weight")

    golden = {f"{name}.ids": ids for name, ids in documents.items()}
    for name, ids in documents.items():
        golden |= {f"{name}.{stage}": value for stage, value in stages(model, ids).items()}
    model.to(torch.bfloat16)
    for name, ids in documents.items():
        golden |= {f"bf16.{name}.{stage}": value for stage, value in stages(model, ids).items()}

    folder.mkdir(parents=True, exist_ok=True)
    written = {key: value for key, value in config.to_dict().items() if key != "transformers_version"}
    written["architectures"] = [type(model).__name__]
    (folder / "config.json").write_text(json.dumps(written, indent=2, sort_keys=True) + "\n")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    save_file(golden, folder / "golden.safetensors", metadata={"transformers": transformers.__version__})


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make_golden.py FOLDER")
    torch.set_num_threads(1)
    for family in FAMILIES:
        make(family, pathlib.Path(sys.argv[1]) / family)


if __name__ == "__main__":
    main()
