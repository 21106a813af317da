"""Makes the goldens of adapters with PEFT, the reference for the files and for their effect.

Development only; the goldens are committed. Needs torch 2.13.0, transformers 5.23.0, peft 0.21.2 and safetensors:

    python tests/parity/make_adapter_golden.py tests/parity/golden

Each family's tiny checkpoint gets an adapter (factors drawn, none zero) as PEFT saves it, in adapter/, and its logits for
the golden's documents, in adapter/golden.safetensors. Between them the families use every way to choose modules.
"""

import pathlib
import sys

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

ADAPTERS = {
    "llama": dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "model.layers.1.mlp.down_proj"]),
    "qwen2": dict(r=4, lora_alpha=6, use_rslora=True, rank_pattern={"v_proj": 2, "layers.1.self_attn.q_proj": 3},
                  target_modules=r".*\.(q|k|v)_proj|model\.layers\.\d+\.mlp\.(gate|up)_proj"),
    "qwen3": dict(r=2, lora_alpha=4, target_modules="all-linear", alpha_pattern={r"mlp\..*": 3},
                  exclude_modules=["layers.0.mlp.up_proj"]),
    # Query, key and value in one linear; GPT-2's are stored [in, out].
    "gpt2": dict(r=4, lora_alpha=8, fan_in_fan_out=True, target_modules=["c_attn", "attn.c_proj", "h.1.mlp.c_proj", "c_fc"]),
    "gpt_bigcode": dict(r=3, lora_alpha=6, target_modules=["c_attn", "c_proj", "c_fc"], rank_pattern={"h.1.attn.c_attn": 5}),
}


def draw_factors(model, generator):
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            with torch.no_grad():
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))


def make(family, folder):
    base = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    model = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", **ADAPTERS[family])).eval()
    model.peft_config["default"].base_model_name_or_path = family
    draw_factors(model, torch.Generator().manual_seed(list(ADAPTERS).index(family) + 11))
    documents = {name: ids for name, ids in load_file(folder / "golden.safetensors").items() if name.endswith(".ids")}
    golden = {}
    with torch.no_grad():
        for name, ids in documents.items():
            logits = model(input_ids=ids.unsqueeze(0), use_cache=False).logits
            golden[name.replace(".ids", ".logits")] = logits[0].contiguous()
    model.save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    save_file(golden, folder / "adapter" / "golden.safetensors", metadata={"peft": peft.__version__})


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make_adapter_golden.py FOLDER")
    torch.set_num_threads(1)
    for family in ADAPTERS:
        make(family, pathlib.Path(sys.argv[1]) / family)


if __name__ == "__main__":
    main()
