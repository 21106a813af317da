"""The weft binary as a user meets it: exit codes, messages, the shape of --json. One suite a run."""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import unittest

WEFT = ""
MODEL = pathlib.Path()


def weft(*arguments, **environment):
    env = {k: v for k, v in os.environ.items() if k != "WEFT_MODEL"} | environment
    return subprocess.run([WEFT, *map(str, arguments)], capture_output=True, text=True, env=env, timeout=240)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def check_fails(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, "")
        for word in words:
            self.assertIn(word, result.stderr)


class Usage(Case):
    def test_no_command(self):
        self.check_fails(weft(), 2)

    def test_unknown_command(self):
        self.check_fails(weft("frobnicate"), 2)

    def test_unknown_option(self):
        self.check_fails(weft("doctor", "--frobnicate"), 2, "--frobnicate")

    def test_unknown_log_level(self):
        self.check_fails(weft("--log-level", "loud", "doctor"), 2, "loud")

    def test_missing_location(self):
        self.check_fails(weft("complete"), 2, "location")

    def test_malformed_locations(self):
        for location in ("a.py", "a.py:1", "a.py:0:1", "a.py:1:0", "a.py:x:1", "a.py:1:-1", ":1:1"):
            with self.subTest(location):
                self.check_fails(weft("complete", location), 2, "FILE:LINE:COL")

    def test_help_is_a_result(self):
        for command in ((), ("complete",), ("doctor",), ("data", "pack"), ("data", "extract"),
                        ("data", "lessons"), ("data", "inspect"), ("pretrain",), ("eval", "completion"), ("bench", "typing"),
                        ("generate",), ("adapters", "list"), ("adapters", "inspect"), ("adapters", "add"),
                        ("adapters", "remove")):
            with self.subTest(command):
                result = weft(*command, "--help")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                if command:
                    self.assertIn("Example", result.stdout)

    def test_version(self):
        result = weft("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^weft \d+\.\d+\.\d+\n$")

    def test_missing_file(self):
        self.check_fails(weft("complete", self.folder / "absent.py:1:1"), 1, "absent.py: no such file")

    def test_folder_is_not_a_file(self):
        self.check_fails(weft("complete", f"{self.folder}:1:1"), 1, "not a regular file")

    def test_line_out_of_range(self):
        self.check_fails(weft("complete", f"{self.write('a.py', 'one')}:2:1"), 1, "line 2", "1 lines")

    def test_column_out_of_range_counts_characters(self):
        path = self.write("a.py", "äöü\n")
        self.check_fails(weft("complete", f"{path}:1:5"), 1, "column 5", "3 characters")

    def test_not_utf8(self):
        path = self.write("a.py", b"ab\xff")
        self.check_fails(weft("complete", f"{path}:1:1"), 1, "not UTF-8", "offset 2")

    def test_overlong_and_surrogate_bytes_are_not_utf8(self):
        for content in (b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
            with self.subTest(content):
                self.check_fails(weft("complete", f"{self.write('a.py', content)}:1:1"), 1, "not UTF-8")

    def test_missing_model(self):
        path = self.write("a.py", "x = 1\n")
        absent = self.folder / "no-model"
        self.check_fails(weft("complete", f"{path}:1:1", "--model", absent), 1, str(absent))

    def test_missing_model_in_the_environment(self):
        path = self.write("a.py", "x = 1\n")
        absent = self.folder / "no-model"
        self.check_fails(weft("complete", f"{path}:1:1", WEFT_MODEL=str(absent)), 1, str(absent))

    def test_pretrain_needs_data(self):
        self.check_fails(weft("pretrain", "--out", self.folder / "out"), 2, "--data")
        absent = self.folder / "absent"
        self.check_fails(weft("pretrain", "--data", absent, "--out", self.folder / "out"), 1, str(absent))


class Complete(Case):
    def complete(self, location):
        result = weft("complete", location, "--json", "--model", MODEL)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_json_shape_in_a_real_file(self):
        textwrap = pathlib.Path(sysconfig.get_paths()["stdlib"]) / "textwrap.py"
        lines = textwrap.read_text().splitlines()
        line = next(i for i, text in enumerate(lines) if text.strip().startswith("self.")) + 1
        answer = self.complete(f"{textwrap}:{line}:{len(lines[line - 1]) // 2 + 1}")
        self.assertTrue(answer["model"])
        self.assertGreater(answer["timings_ms"]["total"], 0)
        self.assertGreater(answer["tokens"]["prompt"], 10)
        for item in answer["items"]:
            self.assertIsInstance(item["text"], str)
            self.assertLessEqual(item["score"], 0)

    def test_same_place_gives_the_same_text(self):
        path = self.write("a.py", "def add(a, b):\n    return \n")
        self.assertEqual(self.complete(f"{path}:2:12")["items"], self.complete(f"{path}:2:12")["items"])

    def test_colons_in_the_path_and_the_ends_of_the_text(self):
        path = self.write("a:1:2.py", "import os\nä = 1")
        self.complete(f"{path}:1:10")
        self.complete(f"{path}:2:6")

    def test_empty_file(self):
        self.complete(f"{self.write('a.py', '')}:1:1")

    def test_secret_file_is_not_read(self):
        answer = self.complete(f"{self.write('.env', 'TOKEN=')}:1:7")
        self.assertEqual(answer["items"], [])
        self.assertIn("secret", answer["reason"])

    def test_truncated_weights_are_named(self):
        for name in ("config.json", "tokenizer.model", "model.safetensors"):
            content = (MODEL / name).read_bytes()
            self.write(name, content[: len(content) // 2] if name == "model.safetensors" else content)
        path = self.write("a.py", "x = ")
        self.check_fails(weft("complete", f"{path}:1:5", "--model", self.folder), 1, "model.safetensors")


class Doctor(Case):
    def test_absent_model_is_an_error_with_a_remedy(self):
        absent = self.folder / "no-model"
        result = weft("doctor", "--json", "--model", absent)
        self.assertEqual(result.returncode, 1)
        report = json.loads(result.stdout)
        self.assertFalse(report["ok"])
        errors = [finding for finding in report["findings"] if finding["level"] == "error"]
        self.assertIn(str(absent), errors[0]["problem"])
        self.assertTrue(errors[0]["remedy"])

    def test_says_what_the_machine_has(self):
        report = json.loads(weft("doctor", "--json", "--model", self.folder).stdout)
        self.assertRegex(report["libtorch"], r"^\d+\.\d+")
        self.assertGreaterEqual(report["cpu"]["threads"], 1)
        memory = report["memory"]
        self.assertGreater(memory["available_bytes"], 0)
        self.assertLessEqual(memory["available_bytes"], memory["total_bytes"])
        flags = pathlib.Path("/proc/cpuinfo").read_text().split()
        self.assertEqual(report["cpu"]["avx512"], "avx512f" in flags)
        self.assertEqual(report["cpu"]["amx_bf16"], "amx_bf16" in flags)

    def test_broken_config_is_named(self):
        self.write("config.json", "{")
        result = weft("doctor", "--model", self.folder)
        self.assertEqual(result.returncode, 1)
        self.assertIn("config.json", result.stdout)
        self.assertIn("completion cannot work", result.stdout)

    def test_default_model_is_healthy(self):
        result = weft("doctor", "--json", "--model", MODEL)
        self.assertEqual(result.returncode, 0, result.stdout)
        model = json.loads(result.stdout)["model"]
        self.assertTrue(model["loads"] and model["infilling"])
        self.assertLessEqual(model["size_bytes"], 25_000_000)


class Evaluation(Case):
    def test_reports_on_held_out_files(self):
        textwrap = pathlib.Path(sysconfig.get_paths()["stdlib"]) / "textwrap.py"
        self.write("held_out.py", textwrap.read_bytes())
        result = weft("eval", "completion", "--data", self.folder, "--model", MODEL, "--json", "--max-positions", 4,
                      "--max-windows", 1)
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertGreater(report["bits_per_byte"], 0)
        self.assertEqual(report["files"], 1)

    def test_no_files(self):
        self.check_fails(weft("eval", "completion", "--data", self.folder, "--model", MODEL), 1, str(self.folder))


class Data(Case):
    """Training data for adapters, from a package of the standard library and from weft's own grammar."""

    SOURCE = pathlib.Path(sysconfig.get_paths()["stdlib"]) / "json"

    def extract(self, task, *arguments):
        return weft("data", "extract", "--data", self.SOURCE, "--task", task, "--assume-licence", "PSF-2.0",
                    "--out", self.folder / "examples.jsonl", *arguments)

    def test_every_task_has_examples_in_real_code(self):
        for task in ("bug-detection", "refactor", "function-from-comment"):
            with self.subTest(task):
                result = self.extract(task, "--json")
                self.assertEqual(result.returncode, 0, result.stderr)
                report = json.loads(result.stdout)
                lines = [json.loads(line) for line in (self.folder / "examples.jsonl").read_text().splitlines()]
                self.assertEqual(len(lines), report["examples"])
                self.assertEqual(sum(report["labels"].values()), len(lines))
                self.assertGreater(len(lines), 5)
                self.assertTrue(all(line["prompt"] and line["answer"] and line["label"] for line in lines))

    def test_half_of_the_functions_are_clean(self):
        self.assertEqual(self.extract("bug-detection").returncode, 0)
        result = weft("data", "inspect", self.folder / "examples.jsonl", "--samples", 1, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual(report["labels"]["clean"] * 2, report["counts"]["examples"])
        self.assertEqual(report["counts"]["pairs"], report["labels"]["clean"])
        self.assertEqual(len(report["samples"]), 1)

    def test_the_same_seed_gives_the_same_file(self):
        texts = []
        for seed in (1, 1, 2):
            self.assertEqual(self.extract("bug-detection", "--seed", seed).returncode, 0)
            texts.append((self.folder / "examples.jsonl").read_bytes())
        self.assertEqual(texts[0], texts[1])
        self.assertNotEqual(texts[0], texts[2])

    def test_refusals_say_why(self):
        self.check_fails(self.extract("bugs"), 1, "bugs", "bug-detection, refactor")
        empty = self.folder / "empty"
        empty.mkdir()
        self.check_fails(weft("data", "extract", "--data", empty, "--task", "refactor", "--out", self.folder / "x"), 1,
                         "no examples of refactor in 0 files")
        self.assertFalse((self.folder / "x").exists())
        self.check_fails(weft("data", "inspect", self.write("broken.jsonl", "{}\n")), 1, "line 1", "prompt")
        self.check_fails(weft("data", "lessons", "--out", self.folder / "l", "--hold-out", "sum:9"), 2, "sum:9", "sum:2")

    def test_lessons_become_examples(self):
        lessons = self.folder / "lessons"
        result = weft("data", "lessons", "--out", lessons, "--count", 300, "--hold-out", "product:3,difference:2")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("lessons: 300 in", result.stdout)
        result = weft("data", "extract", "--data", lessons, "--task", "function-from-comment", "--out",
                      self.folder / "examples.jsonl", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertGreater(report["examples"], 270)
        self.assertGreater(min(report["labels"]["en"], report["labels"]["zh"]), 90)


class Pretraining(Case):
    """On real code: a package of the standard library, packed and trained on by a tiny model."""

    CONFIG = {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32, "intermediate_size": 128,
        "vocab_size": 512, "max_position_embeddings": 256, "rms_norm_eps": 1e-6, "tie_word_embeddings": True,
    }

    def setUp(self):
        super().setUp()
        stdlib = pathlib.Path(sysconfig.get_paths()["stdlib"])
        self.data = self.folder / "packed"
        held_out = self.folder / "held-out"
        held_out.mkdir()
        (held_out / "decoder.py").write_bytes((stdlib / "json" / "decoder.py").read_bytes())
        result = weft("data", "pack", stdlib / "json", stdlib / "logging", "--held-out", held_out, "--out", self.data,
                      "--vocabulary", 512, "--assume-licence", "PSF-2.0", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.config = self.write("config.json", json.dumps(self.CONFIG))

    def test_packed_text_can_be_looked_at(self):
        result = weft("data", "inspect", self.data, "--samples", 2, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual((report["kind"], len(report["samples"])), ("packed", 2))
        self.assertGreater(report["counts"]["train tokens"], 1000)
        self.assertEqual(report["counts"]["valid documents"], 1)

    def arguments(self, out):
        return ["pretrain", "--data", self.data, "--out", out, "--config", self.config, "--sequence-tokens", 128,
                "--micro-batch-sequences", 2, "--batch-tokens", 512, "--total-steps", 40, "--warmup-steps", 4,
                "--decay-steps", 10, "--checkpoint-every-steps", 5, "--evaluate-every-steps", 20, "--threads", 1,
                "--json"]

    def test_killed_and_resumed_is_bit_identical(self):
        whole = weft(*self.arguments(self.folder / "whole"))
        self.assertEqual(whole.returncode, 0, whole.stderr)
        out = self.folder / "killed"
        victim = subprocess.Popen([WEFT, *map(str, self.arguments(out))], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not list(out.glob("checkpoints/step-*.safetensors")):
            self.assertIsNone(victim.poll(), "the run ended before it could be killed")
            self.assertLess(time.monotonic(), deadline)
        victim.kill()
        self.assertEqual(victim.wait(), -signal.SIGKILL)
        resumed = weft(*self.arguments(out))
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        model = "model/model.safetensors"
        self.assertEqual((self.folder / "whole" / model).read_bytes(), (out / model).read_bytes())
        lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
        self.assertLess(lines[-1]["loss"], lines[0]["loss"])

    def test_interrupted_saves_and_says_how_to_go_on(self):
        out = self.folder / "interrupted"
        run = subprocess.Popen([WEFT, *map(str, self.arguments(out))], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
        deadline = time.monotonic() + 120
        while not (out / "log.jsonl").exists():
            self.assertIsNone(run.poll(), "the run ended before it could be interrupted")
            self.assertLess(time.monotonic(), deadline)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 1)
        self.assertIn("Run the same command again", errors)
        self.assertTrue(list(out.glob("checkpoints/step-*.safetensors")))


def main():
    global WEFT, MODEL
    suites = {"usage": Usage, "complete": Complete, "doctor": Doctor, "evaluation": Evaluation, "data": Data,
              "pretraining": Pretraining}
    parser = argparse.ArgumentParser()
    parser.add_argument("--weft", required=True)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("suite", choices=suites)
    arguments = parser.parse_args()
    WEFT, MODEL = arguments.weft, arguments.model
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(suites[arguments.suite])
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
