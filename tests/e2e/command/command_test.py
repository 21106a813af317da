"""The weft binary as a user meets it: exit codes, messages, the shape of --json. One suite a run."""

import json
import pathlib
import subprocess
import sys
import sysconfig

import command_case
from command_case import Case, weft


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
        result = weft("complete", location, "--json", "--model", command_case.MODEL)
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
            content = (command_case.MODEL / name).read_bytes()
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
        result = weft("doctor", "--json", "--model", command_case.MODEL)
        self.assertEqual(result.returncode, 0, result.stdout)
        model = json.loads(result.stdout)["model"]
        self.assertTrue(model["loads"] and model["infilling"])
        self.assertLessEqual(model["size_bytes"], 25_000_000)
        self.assertEqual(model["adapters"], ["bug-detection", "function-from-comment", "refactor"])

    def test_an_adapter_that_does_not_fit_is_a_warning(self):
        for file in command_case.MODEL.iterdir():
            if file.is_file():
                (self.folder / file.name).symlink_to(file)
        broken = self.folder / "adapters" / "bugs"
        broken.mkdir(parents=True)
        (broken / "adapter_config.json").write_text("{}")
        result = weft("doctor", "--json", "--model", self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual(report["model"]["adapters"], [])
        self.assertIn(str(broken), report["findings"][0]["problem"])


class Evaluation(Case):
    def test_reports_on_held_out_files(self):
        textwrap = pathlib.Path(sysconfig.get_paths()["stdlib"]) / "textwrap.py"
        self.write("held_out.py", textwrap.read_bytes())
        result = weft("eval", "completion", "--data", self.folder, "--model", command_case.MODEL, "--json", "--max-positions", 4,
                      "--max-windows", 1)
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertGreater(report["bits_per_byte"], 0)
        self.assertEqual(report["files"], 1)
        self.assertEqual(report["memory"], "project")
        self.assertEqual([(row["direction"], row["place"], row["positions"]) for row in report["rows"]],
                         [(direction, place, positions) for direction in ("left to right", "infilling")
                          for place, positions in (("line start", 2), ("inside", 2), ("all", 4))])
        self.assertEqual(report["total"]["positions"], 8)
        self.assertGreater(report["total"]["lexical_tokens"], 0)
        self.assertNotIn("places", report)

    def test_fits_what_is_shown(self):
        package = pathlib.Path(sysconfig.get_paths()["stdlib"]) / "json"
        for folder in ("projects/json", "held_out"):
            (self.folder / folder).mkdir(parents=True)
        for name in ("decoder.py", "encoder.py", "scanner.py"):
            self.write(f"projects/json/{name}", (package / name).read_bytes())
        self.write("held_out/tool.py", (package / "tool.py").read_bytes())
        out = self.folder / "confidence.json"
        result = weft("eval", "completion", "--fit-threshold", self.folder / "projects", "--out", out, "--data",
                      self.folder / "held_out", "--model", command_case.MODEL, "--max-positions", 24, "--max-lines", 2,
                      "--max-windows", 0, "--memory", "document", "--json", "--details")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("on the half that checks", result.stderr)
        fitted = json.loads(out.read_text())
        self.assertGreaterEqual(fitted["first_line"]["least"], 0)
        places = json.loads(result.stdout)["places"]
        self.assertTrue(any(place["confidence"] is not None for place in places))
        for place in places:
            if place["confidence"] is not None:
                self.assertEqual(place["shown"], place["confidence"] >= fitted["first_line"]["least"])

    def test_counts_suggestions_that_break_python(self):
        script = pathlib.Path(__file__).resolve().parents[2] / "bench" / "added_parse_errors.py"
        source = "def f(x):\n    y = x\n    return y\n"
        path = self.write("a.py", source)
        place = {"path": str(path), "language": "python", "offset": source.index("y = x"), "shown": True, "adds_error": False}
        for direction in ("left to right", "infilling"):
            for right, offers in ((True, ("y = g(", "for a in x:", "try:", "y = (1", '"""Says')),
                                  (False, ("y = = 1", "else:", "y)"))):
                places = [place | {"direction": direction, "offered": offered} for offered in offers]
                report = self.write("report.json", json.dumps({"places": places}))
                result = subprocess.run([sys.executable, script, report], capture_output=True, text=True, check=False)
                counts = json.loads(result.stdout)
                self.assertEqual(counts["suggestions"], len(offers))
                self.assertEqual(counts["adding_errors"], 0 if right else len(offers), (direction, offers))
                self.assertEqual(result.returncode, 0 if right else 1)

    def test_no_files(self):
        self.check_fails(weft("eval", "completion", "--data", self.folder, "--model", command_case.MODEL), 1, str(self.folder))


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


if __name__ == "__main__":
    command_case.main({"usage": Usage, "complete": Complete, "doctor": Doctor, "evaluation": Evaluation, "data": Data})
