"""weft pretrain, weft train and weft eval TASK on real code, with a tiny model. One suite a run."""

import json
import pathlib
import signal
import subprocess
import sysconfig
import time

import command_case
from command_case import Case, weft


class TinyModel(Case):
    """On real code: packages of the standard library, packed and trained on by a tiny model."""

    CONFIG = {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32, "intermediate_size": 128,
        "vocab_size": 512, "max_position_embeddings": 1024, "rms_norm_eps": 1e-6, "tie_word_embeddings": True,
    }

    def setUp(self):
        super().setUp()
        self.stdlib = pathlib.Path(sysconfig.get_paths()["stdlib"])
        self.data = self.folder / "packed"
        held_out = self.folder / "held-out"
        held_out.mkdir()
        (held_out / "decoder.py").write_bytes((self.stdlib / "json" / "decoder.py").read_bytes())
        result = weft("data", "pack", self.stdlib / "json", self.stdlib / "logging", "--held-out", held_out, "--out",
                      self.data, "--vocabulary", 512, "--assume-licence", "PSF-2.0", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.config = self.write("config.json", json.dumps(self.CONFIG))

    def pretraining(self, out, steps=40):
        return ["pretrain", "--data", self.data, "--out", out, "--config", self.config, "--sequence-tokens", 128,
                "--micro-batch-sequences", 2, "--batch-tokens", 512, "--total-steps", steps, "--warmup-steps", 4,
                "--decay-steps", 10, "--checkpoint-every-steps", 5, "--evaluate-every-steps", 20, "--threads", 1,
                "--json"]

    def kill_after_checkpoint(self, arguments, out):
        victim = subprocess.Popen([command_case.WEFT, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not list(out.glob("checkpoints/step-*.safetensors")):
            self.assertIsNone(victim.poll(), "the run ended before it could be killed")
            self.assertLess(time.monotonic(), deadline)
        victim.kill()
        self.assertEqual(victim.wait(), -signal.SIGKILL)

    def interrupt_after_first_step(self, arguments, out):
        run = subprocess.Popen([command_case.WEFT, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        while not (out / "log.jsonl").exists():
            self.assertIsNone(run.poll(), "the run ended before it could be interrupted")
            self.assertLess(time.monotonic(), deadline)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 1)
        self.assertIn("Run the same command again", errors)
        self.assertTrue(list(out.glob("checkpoints/step-*.safetensors")))


class Pretraining(TinyModel):
    def test_packed_text_can_be_looked_at(self):
        result = weft("data", "inspect", self.data, "--samples", 2, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual((report["kind"], len(report["samples"])), ("packed", 2))
        self.assertGreater(report["counts"]["train tokens"], 1000)
        self.assertEqual(report["counts"]["valid documents"], 1)

    def test_killed_and_resumed_is_bit_identical(self):
        whole = weft(*self.pretraining(self.folder / "whole"))
        self.assertEqual(whole.returncode, 0, whole.stderr)
        out = self.folder / "killed"
        self.kill_after_checkpoint(self.pretraining(out), out)
        resumed = weft(*self.pretraining(out))
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        model = "model/model.safetensors"
        self.assertEqual((self.folder / "whole" / model).read_bytes(), (out / model).read_bytes())
        lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
        self.assertLess(lines[-1]["loss"], lines[0]["loss"])

    def test_interrupted_saves_and_says_how_to_go_on(self):
        out = self.folder / "interrupted"
        self.interrupt_after_first_step(self.pretraining(out), out)


class Training(TinyModel):
    """Adapters of a tiny model, for real tasks on real code."""

    def setUp(self):
        super().setUp()
        result = weft(*self.pretraining(self.folder / "base", steps=12))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.model = self.folder / "base" / "model"

    def training(self, out, task="bug-detection", steps=12):
        return ["train", task, "--data", self.stdlib / "json", self.stdlib / "logging", self.stdlib / "urllib", "--out",
                out, "--model", self.model, "--preset", "smallest", "--rank", 4, "--max-steps", steps, "--batch-tokens",
                1024, "--evaluate-every-steps", 4, "--max-held-out", 12, "--checkpoint-every-steps", 2, "--threads", 1,
                "--json"]

    def test_trains_measures_and_reports(self):
        out = self.folder / "bugs"
        result = weft(*self.training(out))
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertLess(report["best_loss"], report["base_loss"])
        self.assertEqual(report["evaluation"]["metrics"][0]["name"], "paired accuracy")
        config = json.loads((out / "adapter_config.json").read_text())
        self.assertEqual((config["peft_type"], config["r"], config["weft"]["task"]), ("LORA", 4, "bug-detection"))
        html = (out / "report.html").read_text()
        for text in ("paired accuracy", "<svg", "weft train bug-detection", "--rank 4"):
            self.assertIn(text, html)

        evaluated = weft("eval", "bug-detection", "--adapter", out, "--data", self.stdlib / "email", "--model",
                         self.model, "--max-examples", 8, "--json")
        self.assertEqual(evaluated.returncode, 0, evaluated.stderr)
        metrics = {metric["name"]: metric for metric in json.loads(evaluated.stdout)["metrics"]}
        self.assertEqual(metrics["paired accuracy"]["count"], 4)
        self.check_fails(weft("eval", "refactor", "--adapter", out, "--data", self.stdlib / "email", "--model",
                              self.model), 1, "for bug-detection, not for refactor")
        self.check_fails(weft("eval", "bug-detection", "--adapter", out, "--data", self.stdlib / "email", "--model",
                              command_case.MODEL), 1, "trained on")

    def test_killed_and_resumed_is_bit_identical(self):
        task = "function-from-comment"
        whole = weft(*self.training(self.folder / "whole", task))
        self.assertEqual(whole.returncode, 0, whole.stderr)
        out = self.folder / "killed"
        self.kill_after_checkpoint(self.training(out, task), out)
        resumed = weft(*self.training(out, task))
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        for name in ("adapter_model.safetensors", "adapter_config.json"):
            self.assertEqual((self.folder / "whole" / name).read_bytes(), (out / name).read_bytes())

    def test_interrupted_saves_and_says_how_to_go_on(self):
        out = self.folder / "interrupted"
        self.interrupt_after_first_step(self.training(out, steps=400), out)

    def test_refusals(self):
        out = self.folder / "none"
        self.check_fails(weft(*self.training(out, "clairvoyance")), 2, "clairvoyance", "bug-detection")
        little = self.folder / "little"
        little.mkdir()
        (little / "a.py").write_text("x = 1\n")
        result = weft("train", "bug-detection", "--data", little, "--out", out, "--model", self.model)
        self.check_fails(result, 1, "too little", "a.py: too small")


if __name__ == "__main__":
    command_case.main({"pretraining": Pretraining, "training": Training})
