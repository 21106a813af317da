"""`weft models`: what it says of checkpoints that are there, and the smaller ones that it makes."""

import json
import pathlib
import shutil
import signal
import struct
import subprocess
import time

import command_case
from command_case import Case, weft

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "parity" / "gguf"


def read_header(path):
    with open(path, "rb") as file:
        return json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))


class Models(Case):
    def inspect(self, path, *arguments, code=0):
        result = weft("models", "inspect", path, "--json", *arguments)
        self.assertEqual(result.returncode, code, result.stderr)
        return json.loads(result.stdout), result.stderr

    def test_inspect_the_default_model(self):
        report, _ = self.inspect(command_case.MODEL, "--check")
        config = json.loads((command_case.MODEL / "config.json").read_text())
        self.assertTrue(report["loads"])
        self.assertEqual(report["family"], config["architectures"][0])
        self.assertEqual((report["layers"], report["vocabulary"]), (config["num_hidden_layers"], config["vocab_size"]))
        self.assertEqual(report["kv_bytes_per_token"],
                         4 * config["num_hidden_layers"] * config["num_key_value_heads"] * config["head_dim"])
        self.assertEqual((report["missing"], report["misshapen"], report["not_finite"]), ([], [], []))
        self.assertEqual(len(report["fim"]), 3)
        self.assertEqual(report["memory_bytes"]["fp32"], 4 * report["parameters"])
        self.assertLess(report["memory_bytes"]["int4"], report["memory_bytes"]["int8"])
        text = weft("models", "inspect", command_case.MODEL).stdout
        self.assertIn("SentencePiece", text)

    def test_inspect_a_gguf_file(self):
        report, _ = self.inspect(GOLDENS / "qwen3.gguf")
        self.assertEqual((report["format"], report["family"]), ("GGUF", "Qwen3ForCausalLM"))
        self.assertEqual((report["missing"], report["misshapen"]), ([], []))
        self.assertEqual(report["tokenizer"]["tokens"], 40)

    def test_inspect_says_why_it_cannot_be_loaded(self):
        model = self.folder / "model"
        shutil.copytree(command_case.MODEL, model, ignore=shutil.ignore_patterns("adapters"))
        config = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps(config | {"num_hidden_layers": config["num_hidden_layers"] + 1}))
        report, said = self.inspect(model, code=1)
        self.assertIn(f"model.layers.{config['num_hidden_layers']}.input_layernorm.weight", report["missing"])
        self.assertIn("missing: model.layers.", said)
        (model / "config.json").write_text(json.dumps(config | {"intermediate_size": config["intermediate_size"] * 2}))
        report, said = self.inspect(model, code=1)
        self.assertIn("expected [", report["misshapen"][0])
        (model / "model.safetensors").write_bytes((model / "model.safetensors").read_bytes()[:-1])
        report, said = self.inspect(model, code=1)
        self.assertIn("truncated", said)
        self.check_fails(weft("models", "inspect", self.folder / "gone"), 2, "gone")

    def test_inspect_counts_what_is_not_finite(self):
        model = self.folder / "model"
        shutil.copytree(command_case.MODEL, model, ignore=shutil.ignore_patterns("adapters"))
        data = bytearray((model / "model.safetensors").read_bytes())
        header = read_header(model / "model.safetensors")
        entry = header["model.norm.weight"]
        at = 8 + struct.unpack("<Q", data[:8])[0] + entry["data_offsets"][0]
        size = {"BF16": 2, "F32": 4}[entry["dtype"]]
        data[at:at + size] = {2: b"\xc0\x7f", 4: b"\x00\x00\xc0\x7f"}[size]
        (model / "model.safetensors").write_bytes(data)
        report, _ = self.inspect(model, "--check")
        self.assertEqual(report["not_finite"], [{"tensor": "model.norm.weight", "nan": 1, "infinite": 0}])

    def test_quantize(self):
        for bits, arguments in ((8, ("--to", "int8")), (4, ("--to", "int4", "--group", "32"))):
            out = self.folder / f"int{bits}"
            result = weft("models", "quantize", command_case.MODEL, *arguments, "--out", out)
            self.assertEqual(result.returncode, 0, result.stderr)
            header = read_header(out / "model.safetensors")
            weight = header["model.layers.0.mlp.up_proj.weight"]
            self.assertEqual(weight["dtype"], {8: "I8", 4: "U8"}[bits])
            self.assertIn("model.layers.0.mlp.up_proj.weight_scale", header)
            config = json.loads((out / "config.json").read_text())
            self.assertEqual(config["weft_quantization"]["bits"], bits)
            self.assertTrue((out / "tokenizer.model").exists())
            report, _ = self.inspect(out)
            self.assertTrue(report["quantization"].startswith(f"int{bits}"))
            self.assertEqual((report["missing"], report["misshapen"], report["unused"]), ([], [], []))
            again = weft("models", "quantize", command_case.MODEL, *arguments, "--out", out)
            self.check_fails(again, 1, "is there already")
        self.check_fails(weft("models", "quantize", GOLDENS, "--to", "int8", "--out", self.folder / "x"), 1, "models")
        self.check_fails(weft("models", "quantize", command_case.MODEL, "--to", "int3", "--out", "x"), 2, "int3")

    def test_an_interrupted_quantize_leaves_nothing(self):
        model = self.folder / "model"
        model.mkdir()
        header = {}
        rows, columns, count = 4096, 2048, 12
        for i in range(count):
            size = rows * columns * 4
            header[f"model.layers.{i}.mlp.up_proj.weight"] = {
                "dtype": "F32", "shape": [rows, columns], "data_offsets": [i * size, (i + 1) * size]}
        text = json.dumps(header).encode()
        with open(model / "model.safetensors", "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            file.truncate(8 + len(text) + count * rows * columns * 4)  # a file of holes
        (model / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
        process = subprocess.Popen([command_case.WEFT, "models", "quantize", model, "--to", "int4", "--out",
                                    self.folder / "out"], stderr=subprocess.PIPE)
        while not list(self.folder.glob("out.*/model.safetensors")):
            self.assertIsNone(process.poll())
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        self.assertIn(b"interrupted", process.communicate(timeout=60)[1])
        self.assertEqual(process.returncode, 1)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["model"])

    def test_list(self):
        shutil.copytree(GOLDENS / "qwen3", self.folder / "qwen3")
        shutil.copy(GOLDENS / "qwen3.gguf", self.folder)
        (self.folder / "cut.gguf").write_bytes((GOLDENS / "qwen3.gguf").read_bytes()[:3000])
        home = {"HOME": str(self.folder / "home"), "WEFT_MODELS": str(self.folder)}
        for name in ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "LLAMA_CACHE", "OLLAMA_MODELS"):
            home[name] = ""
        result = weft("models", "list", "--json", **home)
        self.assertEqual(result.returncode, 0, result.stderr)
        found = {entry["name"]: entry for entry in json.loads(result.stdout)}
        self.assertEqual(set(found), {"qwen3", "qwen3.gguf", "cut.gguf"})
        self.assertIn("no tokenizer", found["qwen3"]["why_not"])
        self.assertEqual(found["qwen3.gguf"]["parameters"], found["qwen3"]["parameters"])
        self.assertIn("truncated", found["cut.gguf"]["why_not"])
        self.assertIn("weft cannot run it", weft("models", "list", self.folder).stdout)
        (self.folder / "empty").mkdir()
        self.assertIn("no models in", weft("models", "list", self.folder / "empty").stdout)


if __name__ == "__main__":
    command_case.main({"models": Models})
