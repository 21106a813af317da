"""Has PEFT read the adapters that weft writes, and prints how far its logits then are from the goldens.

Development only, as make_adapter_golden.py; the parity test holds weft to these very files.

    python tests/parity/check_adapter.py tests/parity/golden
"""

import pathlib
import shutil
import sys
import tempfile

import peft
import torch
import transformers
from safetensors.torch import load_file

TOLERANCE = 1e-5


def largest_difference(folder):
    """Of the logits of all documents: with the files that weft writes, against those with PEFT's own."""
    with tempfile.TemporaryDirectory() as written:
        shutil.copy(folder / "adapter" / "weft_adapter_config.json", pathlib.Path(written) / "adapter_config.json")
        shutil.copy(folder / "adapter" / "adapter_model.safetensors", written)
        base = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32,
                                                                 attn_implementation="eager")
        model = peft.PeftModel.from_pretrained(base, written).eval()
    documents = load_file(folder / "golden.safetensors")
    worst = 0.0
    for name, expected in load_file(folder / "adapter" / "golden.safetensors").items():
        ids = documents[name.replace(".logits", ".ids")]
        with torch.no_grad():
            logits = model(input_ids=ids.unsqueeze(0), use_cache=False).logits[0]
        worst = max(worst, ((logits - expected).abs() / expected.abs().clamp_min(1)).max().item())
    return worst


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_adapter.py FOLDER")
    torch.set_num_threads(1)
    failed = False
    for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        if (folder / "adapter").is_dir():
            difference = largest_difference(folder)
            failed |= difference > TOLERANCE
            print(f"{folder.name}: peft {peft.__version__} differs by {difference:.2e}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
