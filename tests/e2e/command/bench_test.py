"""`weft bench typing` and `weft bench engine`: what they say of recorded typing, not how fast it went."""

import json
import pathlib
import signal
import subprocess
import tempfile

import command_case
from command_case import Case, weft

TRACES = pathlib.Path(__file__).resolve().parents[2] / "bench" / "traces"


def keys_of(trace):
    """What C++ counts as keys, counted anew: questions that follow a change of the document they are about."""
    changed, keys = set(), 0
    for line in (TRACES / f"{trace}.jsonl").read_text().splitlines():
        body = json.loads(line).get("body", {})
        document = body.get("params", {}).get("textDocument", {}).get("uri")
        if body.get("method") == "textDocument/didChange":
            changed.add(document)
        elif body.get("method") == "textDocument/inlineCompletion" and document in changed:
            changed.remove(document)
            keys += 1
    return keys


class Typing(Case):
    def play(self, *arguments):
        result = weft("bench", "typing", "--model", command_case.MODEL, "--json", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def check_sound(self, report):
        keys = report["keys"]
        self.assertEqual(keys["asked"], keys["offered"] + keys["nothing"] + keys["withdrawn"] + keys["failed"])
        self.assertEqual((report["unanswered"], report["surplus_answers"], keys["failed"]), (0, 0, 0))
        latency = report["key_to_suggestion_ms"]
        self.assertLessEqual(latency["p50"], latency["p95"])
        self.assertLessEqual(latency["p95"], latency["p99"])
        self.assertLessEqual(report["prefix"]["reused_tokens"], report["prefix"]["reusable_tokens"])
        self.assertLessEqual(report["prefix"]["reusable_tokens"], report["prefix"]["prompt_tokens"])
        self.assertLessEqual(report["wasted_tokens"], report["engine"]["tokens"])

    def test_a_trace_and_its_prompts(self):
        prompts = self.folder / "prompts.jsonl"
        report = self.play("--trace", "corrections", "--keys", 12, "--dump-prompts", prompts)
        self.check_sound(report)
        self.assertEqual((report["keys"]["asked"], report["editors"]), (12, 1))
        self.assertGreater(report["keys"]["offered"], 0)
        self.assertGreater(report["memory_mb"]["begin"], 10)
        dumped = [json.loads(line) for line in prompts.read_text().splitlines()]
        computed = [prompt for prompt in dumped if prompt["computed"]]
        self.assertEqual(len(computed), report["prefix"]["prompts"])
        self.assertEqual(sum(len(prompt["prompt"]) for prompt in computed), report["prefix"]["prompt_tokens"])
        self.assertEqual(sorted(prompt["at_ms"] for prompt in dumped), [prompt["at_ms"] for prompt in dumped])

    def test_editors_at_once(self):
        report = self.play("--trace", "pair", "--trace", "vscode", "--editors", 3, "--keys", 6)
        self.check_sound(report)
        self.assertEqual(report["editors"], 3)
        self.assertEqual({row["name"]: row["keys"] for row in report["per_editor"]},
                         {"pair.0": 6, "pair.1": 6, "vscode": 6})

    def test_shipped_traces_are_what_editors_sent(self):
        """Keys by the hundred, pauses, taken suggestions, deleted lines, two editors on one clock."""
        traces = sorted(path.stem for path in TRACES.glob("*.jsonl"))
        self.assertGreaterEqual(len(traces), 5)
        for trace in traces:
            self.assertGreater(keys_of(trace), 100, trace)
            self.assertNotRegex((TRACES / f"{trace}.jsonl").read_text(), r"/(tmp|home|root)/")

    def test_own_recording(self):
        own = self.write("mine.jsonl", (TRACES / "two_files.jsonl").read_bytes())
        self.assertEqual(self.play("--trace", own, "--keys", 3)["per_editor"][0]["name"], "mine")

    def test_ctrl_c_reports_what_was_played(self):
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen([command_case.WEFT, "bench", "typing", "--model", command_case.MODEL, "--trace",
                                        "textwrap", "--json"], stdout=subprocess.PIPE, stderr=said, text=True)
            while "keys" not in pathlib.Path(f"/proc/self/fd/{said.fileno()}").read_text():
                self.assertIsNone(process.poll())
                try:
                    process.wait(0.05)
                except subprocess.TimeoutExpired:
                    pass
            process.send_signal(signal.SIGINT)
            report = json.loads(process.communicate(timeout=60)[0])
        self.assertEqual(process.returncode, 1)
        self.assertTrue(report["interrupted"])

    def test_wrong_traces(self):
        self.check_fails(weft("bench", "typing", "--trace", "nowhere"), 1, "nowhere")
        self.check_fails(weft("bench", "typing", "--trace", self.write("a.jsonl", "{}\n")), 1, "no message of a client's")
        self.check_fails(weft("bench", "typing", "--trace", "textwrap", "--editors", 2), 1, "the traces have 1 editors")


class Soak(Case):
    def test_memory_stays_flat_for_a_while(self):
        result = weft("bench", "typing", "--model", command_case.MODEL, "--editors", 2, "--minutes", 0.5, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual((report["unanswered"], report["surplus_answers"]), (0, 0))
        self.assertGreater(report["minutes"][-1]["keys"], 0)
        self.assertIn("minute", result.stderr)


class Engine(Case):
    def test_what_is_measured(self):
        result = weft("bench", "engine", "--model", command_case.MODEL, "--rounds", 1, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual([row["sequences"] for row in report["batches"]], [1, 4, 8, 16, 64])
        for row in report["keys"]:
            self.assertEqual(row["prefilled_p50"], row["added"], "the cached tokens were computed again")
        self.assertGreater(report["beams"]["times_greedy"], 0)
        self.assertGreater(report["adapters"]["fp32_bytes_of_one"], 0)


if __name__ == "__main__":
    command_case.main({"bench_typing": Typing, "bench_soak": Soak, "bench_engine": Engine})
