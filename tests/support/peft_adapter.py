"""Writes small random adapters in PEFT's format, for tests that need files and not a training. Standard library only.

    peft_adapter.py MODEL_DIRECTORY OUT [--task TASK] [--rank N] [--scale X] [--threshold P]
"""

import argparse
import array
import json
import pathlib
import random
import struct

LINEARS = {"self_attn": ("q_proj", "k_proj", "v_proj", "o_proj"), "mlp": ("gate_proj", "up_proj", "down_proj")}


def shapes(config):
    """(out, in) of each kind of linear."""
    hidden, middle = config["hidden_size"], config["intermediate_size"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    queries = head * config["num_attention_heads"]
    keys = head * config.get("num_key_value_heads", config["num_attention_heads"])
    return {"q_proj": (queries, hidden), "k_proj": (keys, hidden), "v_proj": (keys, hidden), "o_proj": (hidden, queries),
            "gate_proj": (middle, hidden), "up_proj": (middle, hidden), "down_proj": (hidden, middle)}


def write_adapter(model, out, task="", rank=2, scale=0.01, threshold=None, seed=1):
    """An adapter for the model in folder `model`; returns `out`. A scale of 0 changes nothing in the model."""
    config = json.loads((pathlib.Path(model) / "config.json").read_text())
    draw, size, tensors = random.Random(seed), shapes(config), {}
    for layer in range(config["num_hidden_layers"]):
        for block, names in LINEARS.items():
            for name in names:
                rows, columns = size[name]
                key = f"base_model.model.model.layers.{layer}.{block}.{name}"
                for part, shape in (("lora_A", (rank, columns)), ("lora_B", (rows, rank))):
                    values = array.array("f", (draw.uniform(-scale, scale) for _ in range(shape[0] * shape[1])))
                    tensors[f"{key}.{part}.weight"] = (shape, values.tobytes())
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "adapter_model.safetensors").write_bytes(safetensors(tensors))
    about = {"task": task} | ({} if threshold is None else {"threshold": threshold})
    (out / "adapter_config.json").write_text(json.dumps({
        "peft_type": "LORA", "r": rank, "lora_alpha": rank, "target_modules": sorted(size), "bias": "none",
        "base_model_name_or_path": config.get("_name_or_path", ""), "weft": about}))
    return out


def safetensors(tensors):
    header, offset = {}, 0
    for name in sorted(tensors):
        shape, data = tensors[name]
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(tensors[name][1] for name in sorted(tensors))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--task", default="")
    parser.add_argument("--rank", type=int, default=2)
    parser.add_argument("--scale", type=float, default=0.01)
    parser.add_argument("--threshold", type=float)
    arguments = parser.parse_args()
    print(write_adapter(**vars(arguments)))


if __name__ == "__main__":
    main()
