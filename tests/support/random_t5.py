"""Makes a small T5 of random weights: something to train where no checkpoint is at hand. It knows nothing and says so in its
name. Standard library only.

    random_t5.py OUT --tokenizer MODEL_DIRECTORY [--seed N]
"""

import argparse
import array
import json
import pathlib
import random
import shutil

from peft_adapter import safetensors

CONFIG = {
    "_name_or_path": "random-t5", "architectures": ["T5ForConditionalGeneration"], "model_type": "t5",
    "is_encoder_decoder": True, "d_model": 128, "d_kv": 32, "d_ff": 256, "num_heads": 4, "num_layers": 2,
    "num_decoder_layers": 2, "n_positions": 1024, "relative_attention_num_buckets": 32,
    "relative_attention_max_distance": 128, "feed_forward_proj": "relu", "tie_word_embeddings": True,
    "layer_norm_epsilon": 1e-6,
}


def tensor_shapes(config):
    hidden, inner, middle = config["d_model"], config["num_heads"] * config["d_kv"], config["d_ff"]
    yield "shared.weight", (config["vocab_size"], hidden)
    for stack, layers, attentions in (("encoder", config["num_layers"], ("SelfAttention",)),
                                      ("decoder", config["num_decoder_layers"], ("SelfAttention", "EncDecAttention"))):
        for block in range(layers):
            for part, attention in enumerate(attentions):
                name = f"{stack}.block.{block}.layer.{part}"
                yield f"{name}.layer_norm.weight", (hidden,)
                for linear in "qkv":
                    yield f"{name}.{attention}.{linear}.weight", (inner, hidden)
                yield f"{name}.{attention}.o.weight", (hidden, inner)
            name = f"{stack}.block.{block}.layer.{len(attentions)}"
            yield f"{name}.layer_norm.weight", (hidden,)
            yield f"{name}.DenseReluDense.wi.weight", (middle, hidden)
            yield f"{name}.DenseReluDense.wo.weight", (hidden, middle)
        bias = f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        yield bias, (config["relative_attention_num_buckets"], config["num_heads"])
        yield f"{stack}.final_layer_norm.weight", (hidden,)


def values(name, shape, config, draw):
    """T5's own initialisation (Raffel et al. 2020, as in Mesh TensorFlow): attention is not divided by sqrt(d_kv)."""
    count = shape[0] * (shape[1] if len(shape) == 2 else 1)
    if len(shape) == 1:
        return array.array("f", [1.0]) * count
    deviation = 1.0 if name == "shared.weight" else shape[1] ** -0.5
    if name.endswith(".q.weight"):
        deviation *= config["d_kv"] ** -0.5
    return array.array("f", (draw.gauss(0, deviation) for _ in range(count)))


def write_t5(out, tokenizer, seed=1):
    tokenizer, out, draw = pathlib.Path(tokenizer), pathlib.Path(out), random.Random(seed)
    about = json.loads((tokenizer / "config.json").read_text())
    config = CONFIG | {"vocab_size": about["vocab_size"], "eos_token_id": about.get("eos_token_id", 1),
                       "pad_token_id": 0, "decoder_start_token_id": 0}
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(tokenizer / "tokenizer.model", out)
    tensors = {name: (shape, values(name, shape, config, draw).tobytes()) for name, shape in tensor_shapes(config)}
    (out / "model.safetensors").write_bytes(safetensors(tensors))
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--tokenizer", required=True, help="a model directory whose tokenizer it takes")
    parser.add_argument("--seed", type=int, default=1)
    write_t5(**vars(parser.parse_args()))
