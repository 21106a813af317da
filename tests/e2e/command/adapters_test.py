"""`weft adapters` and the control channel of real daemons, and `weft generate` with adapters. One suite a run."""

import argparse
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "binary"), str(HERE.parents[1] / "support")]

from client import Client  # noqa: E402
from peft_adapter import write_adapter  # noqa: E402

WEFT, WEFTD = "", ""
MODEL = pathlib.Path()


class Case(unittest.TestCase):
    def setUp(self):
        # Short: a socket's path has little room.
        folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="weft-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def weft(self, *arguments, stdin=None):
        env = {k: v for k, v in os.environ.items() if k != "WEFT_MODEL"} | {"XDG_RUNTIME_DIR": str(self.folder)}
        return subprocess.run([WEFT, *map(str, arguments)], capture_output=True, text=True, env=env, timeout=240,
                              input=stdin, cwd=self.folder)

    def start(self, *arguments, model=None):
        client = Client(WEFTD, "--model", model or MODEL, *arguments, XDG_RUNTIME_DIR=str(self.folder))
        self.addCleanup(client.close)
        client.initialize()
        return client

    def adapter(self, name, **options):
        return write_adapter(MODEL, self.folder / name, **options)

    def answers(self, *arguments):
        """What each daemon answered, by its process id."""
        result = self.weft("adapters", *arguments, "--json")
        self.assertIn(result.returncode, (0, 1), result.stderr)
        self.last = result
        return {entry["pid"]: entry for entry in json.loads(result.stdout)["daemons"]}

    def names(self, pid):
        return {adapter["name"] for adapter in self.answers("list")[pid]["adapters"]}

    def check_fails(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, "")
        for word in words:
            self.assertIn(word, result.stderr)


class Live(Case):
    def test_without_a_daemon_it_says_what_to_do(self):
        for arguments in (("list",), ("add", "bugs"), ("remove", "bugs"), ("list", "--json")):
            with self.subTest(arguments):
                self.check_fails(self.weft("adapters", *arguments), 1, "no weftd runs", "weftd --adapter DIR")

    def test_add_list_remove(self):
        pid = self.start().process.pid
        self.adapter("bugs", task="bug-detection", threshold=0.75)
        added = self.answers("add", "bugs")[pid]  # a path of the command's folder, not of the daemon's
        self.assertEqual((added["name"], added["task"]), ("bugs", "bug-detection"), self.last.stderr)
        self.assertEqual(added["directory"], str((self.folder / "bugs").resolve()))
        self.assertAlmostEqual(added["threshold"], 0.75)
        self.assertIn("bugs", self.names(pid))
        self.assertRegex(self.weft("adapters", "list").stdout, rf"weftd {pid}:[^$]*bugs \(bug-detection\)")
        self.assertEqual(self.answers("remove", "bugs")[pid]["removed"], "bugs")
        self.assertNotIn("bugs", self.names(pid))
        self.assertIn("no adapter 'bugs'", self.answers("remove", "bugs")[pid]["error"])
        self.assertEqual(self.last.returncode, 1)

    def test_a_newer_adapter_takes_the_tasks_place(self):
        pid = self.start().process.pid
        for name in ("old", "new"):
            self.adapter(name, task="refactor")
            self.answers("add", name)
        names = self.names(pid)
        self.assertIn("new", names)
        self.assertNotIn("old", names)

    def test_all_daemons_or_one(self):
        first, second = self.start().process.pid, self.start().process.pid
        self.adapter("bugs", task="bug-detection")
        self.assertEqual(set(self.answers("add", "bugs", "--daemon", second)), {second})
        self.assertNotIn("bugs", self.names(first))
        self.assertEqual(set(self.answers("add", "bugs")), {first, second})
        self.assertIn("bugs", self.names(first))
        self.check_fails(self.weft("adapters", "list", "--daemon", os.getpid()), 1, str(os.getpid()))

    def test_what_does_not_fit_is_refused_and_the_daemon_goes_on(self):
        client = self.start()
        narrow = self.folder / "narrow-model"
        narrow.mkdir()
        config = json.loads((MODEL / "config.json").read_text())
        (narrow / "config.json").write_text(json.dumps(config | {"hidden_size": config["hidden_size"] // 2}))
        write_adapter(narrow, self.folder / "narrow", task="refactor")
        (self.adapter("cut") / "adapter_model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
        os.mkfifo(self.folder / "pipe")
        (self.folder / "odd").mkdir()
        os.mkfifo(self.folder / "odd" / "adapter_config.json")
        for name in ("narrow", "cut", "pipe", "odd", "absent"):
            with self.subTest(name):
                answer = self.answers("add", name)[client.process.pid]
                self.assertIn(name, answer["error"])
                self.assertEqual(self.last.returncode, 1)
        client.open("file:///code/a.py", "import os\n\nx = os.")
        self.assertIn("result", client.answer(client.inline("file:///code/a.py", 2, 7)))
        self.assertEqual(client.stop(), 0)

    def test_adapters_from_the_command_line(self):
        good, bad = self.adapter("good", task="refactor"), self.folder / "bad"
        client = self.start("--adapter", good, "--adapter", bad)
        warning = client.notification("window/showMessage")["params"]
        self.assertEqual(warning["type"], 2)
        self.assertIn(str(bad), warning["message"])
        self.assertIn("good", self.names(client.process.pid))
        self.assertEqual(client.stop(), 0)
        self.assertIn(str(bad).encode(), client.log)

    def test_inspect(self):
        self.adapter("bugs", task="bug-detection", rank=3)
        alone = self.weft("adapters", "inspect", "bugs", "--model", MODEL, "--json")
        self.assertEqual(alone.returncode, 0, alone.stderr)
        report = json.loads(alone.stdout)
        config = json.loads((MODEL / "config.json").read_text())
        self.assertEqual((report["task"], report["rank"]), ("bug-detection", 3))
        self.assertEqual(report["modules"], 7 * config["num_hidden_layers"])
        self.assertIn("bug-detection", self.weft("adapters", "inspect", "bugs", "--model", MODEL).stdout)
        self.check_fails(self.weft("adapters", "inspect", "absent", "--model", MODEL), 1, "absent")
        pid = self.start().process.pid
        asked = self.answers("inspect", "bugs", "--daemon", pid)[pid]
        self.assertEqual(asked["parameters"], report["parameters"])
        self.assertNotIn("bugs", self.names(pid))

    def test_without_a_model_the_daemon_says_so(self):
        client = self.start(model=self.folder / "no-model")
        self.assertIn("there is no model", self.answers("list")[client.process.pid]["error"])


class Channel(Case):
    def sockets(self):
        return sorted((self.folder / "weft").glob("*.sock"))

    def test_the_socket_is_the_owners_and_goes_with_the_daemon(self):
        client = self.start()
        path = self.folder / "weft" / f"weftd-{client.process.pid}.sock"
        self.assertEqual(self.sockets(), [path])
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode), 0o700)
        self.assertEqual(client.stop(), 0)
        self.assertEqual(self.sockets(), [])

    def test_it_goes_at_a_signal_and_at_the_inputs_end_too(self):
        client = self.start()
        client.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.wait(), 0)
        self.assertEqual(self.sockets(), [])
        self.start().end_input()
        self.assertEqual(self.sockets(), [])

    def test_what_a_killed_daemon_left_is_removed(self):
        client = self.start()
        client.process.kill()
        client.wait()
        self.assertEqual(len(self.sockets()), 1)
        self.check_fails(self.weft("adapters", "list"), 1, "no weftd runs")
        next_client = self.start()
        self.assertEqual([path.name for path in self.sockets()], [f"weftd-{next_client.process.pid}.sock"])

    def test_a_folder_that_others_can_enter_is_refused_and_editors_are_served(self):
        (self.folder / "weft").mkdir(mode=0o755)
        (self.folder / "weft").chmod(0o755)
        client = self.start()
        self.assertEqual(client.stop(), 0)
        self.assertIn(b"open to others", client.log)
        self.check_fails(self.weft("adapters", "list"), 1, "open to others")

    def test_garbage_does_no_harm(self):
        client = self.start()
        for data in (b"\0" * 5000, b"GET / HTTP/1.1\r\n\r\n", b"Content-Length: 999999999\r\n\r\n", b"Content-Length: 2\r\n\r\n{",
                     b"Content-Length: 5\r\n\r\n[[[[["):
            with socket.socket(socket.AF_UNIX) as raw:
                raw.connect(str(self.sockets()[0]))
                raw.sendall(data)
        self.assertIn("adapters", self.answers("list")[client.process.pid])
        self.assertEqual(client.stop(), 0)


class Generate(Case):
    def generate(self, *arguments, stdin=None):
        result = self.weft("generate", *arguments, "--model", MODEL, "--json", stdin=stdin)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_candidates_are_ranked(self):
        answer = self.generate("return the sum of two numbers", "--no-adapter")
        self.assertTrue(answer["candidates"])
        self.assertLessEqual(len(answer["candidates"]), 8)
        self.assertEqual(len({each["code"] for each in answer["candidates"]}), len(answer["candidates"]))
        order = [(not each["parses"], -each["score"]) for each in answer["candidates"]]
        self.assertEqual(order, sorted(order))
        for each in answer["candidates"]:
            if each["parses"]:
                compile(each["code"], "generated.py", "exec")
        self.assertIsNone(answer["adapter"])
        self.assertGreater(answer["timings_ms"]["generate"], 0)
        self.assertEqual(answer["candidates"], self.generate("return the sum of two numbers", "--no-adapter")["candidates"])

    def test_any_language_and_stdin(self):
        chinese = "一个计算两个数之和的Python函数"
        by_argument, by_stdin = self.generate(chinese), self.generate("-", stdin=chinese)
        self.assertEqual(by_argument["candidates"], by_stdin["candidates"])

    def test_text_is_the_best_code(self):
        best = self.generate("return the sum of two numbers", "--beam", "2")["candidates"][0]["code"]
        result = self.weft("generate", "return the sum of two numbers", "--beam", "2", "--model", MODEL)
        self.assertEqual((result.returncode, result.stdout), (0, best + "\n"), result.stderr)
        self.assertIn("ms", result.stderr)

    def test_an_adapter_changes_what_is_written(self):
        self.adapter("writer", task="function-from-comment", scale=0.5, rank=4)
        plain = self.generate("return the sum of two numbers", "--no-adapter")
        adapted = self.weft("generate", "return the sum of two numbers", "--adapter", "writer", "--model",
                            MODEL, "--json")
        if adapted.returncode == 0:
            answer = json.loads(adapted.stdout)
            self.assertEqual(answer["adapter"], "writer")
            self.assertNotEqual(answer["candidates"], plain["candidates"])
        else:  # what it writes is noise, which need not hold a function
            self.check_fails(adapted, 1, "no function")
        shipped = self.generate("return the sum of two numbers")
        self.assertEqual((plain["adapter"], shipped["adapter"]), (None, "function-from-comment"))
        self.assertNotEqual(shipped["candidates"], plain["candidates"])

    def test_an_adapter_of_zeros_changes_nothing(self):
        self.adapter("nothing", task="function-from-comment", scale=0)
        self.assertEqual(self.weft("data", "lessons", "--out", "lessons", "--count", "60").returncode, 0)
        result = self.weft("eval", "function-from-comment", "--adapter", "nothing", "--data", "lessons", "--max-examples",
                           "8", "--model", MODEL, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        for metric in json.loads(result.stdout)["metrics"]:
            self.assertEqual(metric["base"], metric["adapter"], metric["name"])

    def test_what_cannot_be_done_is_said(self):
        self.adapter("bugs", task="bug-detection")
        model = ("--model", MODEL)
        self.check_fails(self.weft("generate", "x", "--language", "cobol", *model), 2, "cobol", "python")
        self.check_fails(self.weft("generate", " ", *model), 2, "empty")
        self.check_fails(self.weft("generate", "-", *model, stdin="x" * 10000), 2, "longer")
        self.check_fails(self.weft("generate", "x", "--beam", "9", *model), 2, "--beam")
        self.check_fails(self.weft("generate", "x", "--adapter", "absent", *model), 1, "absent")
        self.check_fails(self.weft("generate", "x", "--adapter", "bugs", *model), 1, "bug-detection")
        self.check_fails(self.weft("generate", "x", "--adapter", "bugs", "--no-adapter", *model), 2, "--no-adapter")


def main():
    global WEFT, WEFTD, MODEL
    suites = {"live": Live, "channel": Channel, "generate": Generate}
    parser = argparse.ArgumentParser()
    parser.add_argument("--weft", required=True)
    parser.add_argument("--weftd", required=True)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("suite", choices=suites)
    arguments = parser.parse_args()
    WEFT, WEFTD, MODEL = arguments.weft, arguments.weftd, arguments.model.resolve()
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(suites[arguments.suite])
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
