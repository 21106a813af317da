"""The weftd binary over its real stdin and stdout: exit codes, broken input and models, completions. One suite a run."""

import argparse
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
import unittest

from client import Client, frame

SKIPPED = 77
WEFTD = ""
MODEL = pathlib.Path()
GOLDEN = pathlib.Path()
URI = "file:///code/a.py"


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *arguments, **environment):
        client = Client(WEFTD, *arguments, **environment)
        self.addCleanup(client.close)
        return client

    def start_without_model(self, *arguments):
        return self.start("--model", self.folder / "no-model", *arguments)


def run(*arguments):
    env = {k: v for k, v in os.environ.items() if k != "WEFT_MODEL"}
    return subprocess.run([WEFTD, *map(str, arguments)], capture_output=True, text=True, env=env, timeout=60,
                          stdin=subprocess.DEVNULL)


class Lifecycle(Case):
    def test_exit_after_shutdown_is_0(self):
        client = self.start_without_model("--stdio", "--no-share")
        client.initialize()
        self.assertEqual(client.stop(), 0)
        self.assertEqual(client.stray, b"")

    def test_exit_without_shutdown_is_1(self):
        client = self.start_without_model()
        client.initialize()
        client.notify("exit")
        self.assertEqual(client.wait(), 1)

    def test_end_of_input_without_shutdown_is_1(self):
        client = self.start_without_model()
        client.initialize()
        self.assertEqual(client.end_input(), 1)

    def test_end_of_input_at_once_is_1(self):
        self.assertEqual(self.start_without_model().end_input(), 1)

    def test_end_of_input_after_shutdown_is_0(self):
        client = self.start_without_model()
        client.initialize()
        client.ask("shutdown")
        self.assertEqual(client.end_input(), 0)

    def test_signals_end_it_cleanly(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                client = self.start_without_model()
                client.initialize()
                client.process.send_signal(number)
                self.assertEqual(client.wait(), 0)

    def test_a_client_that_is_gone_ends_it(self):
        client = self.start_without_model()
        client.process.stdin.close()
        self.assertIn(client.wait(), (0, 1))

    def test_wrong_usage_is_2(self):
        for arguments in (("--frobnicate",), ("--log-level", "loud"), ("--threads", "-1"), ("check",),
                          ("check", "a.py"), ("check", "a.py:0:1")):
            with self.subTest(arguments):
                result = run(*arguments)
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertTrue(result.stderr)

    def test_help_and_version_are_results(self):
        result = run("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("it holds your code", result.stdout.replace("\n", " "))
        self.assertRegex(run("--version").stdout, r"^weftd \d+\.\d+\.\d+\n$")

    def test_requests_out_of_order(self):
        client = self.start_without_model()
        self.assertEqual(client.ask("textDocument/inlineCompletion", {})["error"]["code"], -32002)
        client.initialize()
        self.assertEqual(client.ask("textDocument/definition", {})["error"]["code"], -32601)
        client.ask("shutdown")
        self.assertEqual(client.ask("weft/status")["error"]["code"], -32600)


class Input(Case):
    def test_garbage_then_a_good_session(self):
        client = self.start_without_model()
        client.send_bytes(b"\x00\xff\xfeGET / HTTP/1.1\r\nHost: x\r\n\r\nContent-Length: two\r\n\r\n{}")
        self.assertIn("result", client.initialize())
        self.assertEqual(client.receive(lambda m: m.get("id", 0) is None)["error"]["code"], -32700)
        self.assertEqual(client.stop(), 0)

    def test_bodies_that_are_not_messages(self):
        client = self.start_without_model()
        client.initialize()
        for body, code in ((b"{", -32700), (b"\xff", -32700), (b"[" * 100000, -32700), (b"[]", -32600),
                           (b"{}", -32600)):
            with self.subTest(body[:10]):
                client.seen.clear()
                client.send_bytes(frame(body))
                self.assertEqual(client.receive(lambda m: m.get("id", 0) is None)["error"]["code"], code)
        self.assertEqual(client.stop(), 0)

    def test_too_large_a_frame_is_skipped(self):
        client = self.start_without_model()
        client.initialize()
        size = 65 << 20
        client.send_bytes(b"Content-Length: %d\r\n\r\n" % size)
        for _ in range(size >> 20):
            client.send_bytes(b"x" * (1 << 20))
        self.assertEqual(client.stop(), 0)
        self.assertIn("larger than", client.receive(lambda m: m.get("id", 0) is None)["error"]["message"])

    def test_one_byte_at_a_time(self):
        client = self.start_without_model()
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}
        for byte in frame(body):
            client.send_bytes(bytes([byte]))
        self.assertIn("result", client.answer(1))

    def test_bad_documents_leave_it_alive(self):
        client = self.start_without_model()
        client.initialize()
        client.open("no uri at all", "x")
        client.open(URI, "x = 1\n")
        for params in (None, {}, {"textDocument": {"uri": URI, "version": 2}},
                       {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [{"range": {}, "text": ""}]},
                       {"textDocument": {"uri": "file:///other", "version": 2}, "contentChanges": []}):
            client.notify("textDocument/didChange", params)
        client.notify("textDocument/didClose", {"textDocument": {"uri": "file:///other"}})
        self.assertEqual(client.answer(client.inline("file:///other", 0, 0))["error"]["code"], -32602)
        self.assertEqual(client.stop(), 0)

    def test_the_log_never_holds_the_text(self):
        log = self.folder / "weftd.log"
        client = self.start_without_model("--log-level", "trace", "--log-file", log)
        client.initialize()
        client.open(URI, "secret_word = 1\n")
        client.answer(client.inline(URI, 0, 3))
        client.stop()
        self.assertNotIn(b"secret_word", client.log)
        self.assertNotIn("secret_word", log.read_text())
        self.assertIn("no-model", log.read_text())
        self.assertEqual(stat.S_IMODE(log.stat().st_mode), 0o600)


class Recording(Case):
    def test_mirrors_the_session_for_its_owner_alone(self):
        record = self.folder / "session.jsonl"
        client = self.start_without_model("--record", record)
        client.initialize()
        client.stop()
        self.assertEqual(stat.S_IMODE(record.stat().st_mode), 0o600)
        lines = [json.loads(line) for line in record.read_text().splitlines()]
        methods = [json.loads(line["body"]).get("method") for line in lines if line["from"] == "client"]
        self.assertEqual([m for m in methods if m], ["initialize", "initialized", "shutdown", "exit"])
        self.assertTrue(any(line["from"] == "server" and '"serverInfo"' in line["body"] for line in lines))
        times = [line["time_ms"] for line in lines]
        self.assertEqual(times, sorted(times))

    def test_where_it_cannot_is_an_error(self):
        result = run("--record", self.folder / "no" / "folder")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("no/folder", result.stderr)


class BrokenModel(Case):
    """The daemon says what is wrong with the model once, answers, and ends as it should."""

    def check_alive(self, model, *words, **environment):
        client = self.start(*(["--model", model] if model else []), **environment)
        client.initialize()
        client.open(URI, "x = ")
        message = client.notification("window/showMessage")["params"]
        self.assertEqual(message["type"], 1)
        for word in (*words, "--model"):
            self.assertIn(word, message["message"])
        self.assertEqual(client.answer(client.inline(URI, 0, 4))["result"], {"items": []})
        status = client.ask("weft/status")["result"]
        self.assertEqual(status["state"], "failed")
        self.assertIn(words[0], status["error"])
        self.assertEqual(client.stop(), 0)
        self.assertEqual(sum(m.get("method") == "window/showMessage" for m in client.seen), 1)

    def copy(self, source, *names):
        for name in names:
            (self.folder / name).write_bytes((source / name).read_bytes())

    def test_missing_folder(self):
        self.check_alive(self.folder / "absent", str(self.folder / "absent"))

    def test_missing_folder_in_the_environment(self):
        self.check_alive(None, str(self.folder / "absent"), WEFT_MODEL=str(self.folder / "absent"))

    def test_empty_folder(self):
        self.check_alive(self.folder, "config.json")

    def test_config_that_is_not_json(self):
        (self.folder / "config.json").write_text("{")
        self.check_alive(self.folder, "config.json")

    def test_unknown_family(self):
        (self.folder / "config.json").write_text('{"architectures": ["Elman"], "model_type": "elman"}')
        self.check_alive(self.folder, "lman", "Qwen3ForCausalLM")

    def test_missing_tokenizer(self):
        self.copy(GOLDEN, "config.json", "model.safetensors")
        self.check_alive(self.folder, "tokenizer.model")

    def test_truncated_weights(self):
        if not (MODEL / "model.safetensors").is_file():
            self.skipTest(f"no default model in {MODEL}")
        self.copy(MODEL, "config.json", "tokenizer.model")
        weights = (MODEL / "model.safetensors").read_bytes()
        for kept in (0, 4, 100, len(weights) // 2, len(weights) - 1):
            with self.subTest(kept):
                (self.folder / "model.safetensors").write_bytes(weights[:kept])
                self.check_alive(self.folder, "model.safetensors")

    def test_foreign_tokenizer(self):
        if not (MODEL / "model.safetensors").is_file():
            self.skipTest(f"no default model in {MODEL}")
        self.copy(MODEL, "config.json", "model.safetensors")
        (self.folder / "tokenizer.model").write_bytes(b"not a tokenizer")
        self.check_alive(self.folder, "tokenizer.model")

    def test_check_says_it_too(self):
        path = self.folder / "a.py"
        path.write_text("x = ")
        result = run("check", f"{path}:1:5", "--model", self.folder / "absent")
        self.assertEqual(result.returncode, 1)
        self.assertIn(str(self.folder / "absent"), result.stderr)


class Completion(Case):
    """With the default model, in a real file of the standard library."""

    @classmethod
    def setUpClass(cls):
        if not (MODEL / "model.safetensors").is_file():
            raise unittest.SkipTest(f"no default model in {MODEL}")

    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(sysconfig.get_paths()["stdlib"]) / "textwrap.py"
        self.text = self.path.read_text()
        self.lines = self.text.splitlines()
        self.version = 1

    def places(self):
        """Behind `self.name = ` and `return ` of some statements."""
        found = []
        for i, line in enumerate(self.lines):
            for head in ("self.", "return "):
                if line.startswith(" " * 8 + head) and line.isascii() and (head == "return " or " = " in line):
                    found.append((i, 8 + len(head) if head == "return " else line.index(" = ") + 3))
        return found[:12]

    def take_rest_away(self, client, line, character):
        """As if someone were typing there."""
        self.version += 1
        client.notify("textDocument/didChange", {
            "textDocument": {"uri": self.path.as_uri(), "version": self.version},
            "contentChanges": [{"text": "\n".join(
                [*self.lines[:line], self.lines[line][:character], *self.lines[line + 1:]])}]})

    def test_offers_text_at_real_places(self):
        client = self.start("--model", MODEL)
        client.initialize()
        client.open(self.path.as_uri(), self.text)
        offered = 0
        for line, character in self.places():
            self.take_rest_away(client, line, character)
            result = client.answer(client.inline(self.path.as_uri(), line, character))["result"]
            for item in result["items"]:
                offered += 1
                self.assertTrue(item["insertText"])
                self.assertEqual(item["range"]["start"]["line"], line)
                self.assertEqual(item["range"]["end"]["line"], line)
        self.assertGreater(offered, 0)
        status = client.ask("weft/status")["result"]
        self.assertEqual(status["state"], "ready")
        self.assertGreater(status["model"]["parameters"], 0)
        self.assertGreater(status["engine"]["requests_finished"], 0)
        self.assertGreater(status["engine"]["generated_tokens"], 0)
        self.assertEqual(client.stop(), 0)
        self.assertEqual(client.stray, b"")

    def test_remembers_what_it_is_told_to(self):
        uri = (self.folder / "a.py").as_uri()
        for reach, keys in (("none", None), ("document", None), ("project", {"root", "project"}),
                            ("environment", {"root", "project", "environment"})):
            with self.subTest(reach):
                client = self.start("--model", MODEL, "--memory", reach, XDG_CACHE_HOME=str(self.folder / "cache"))
                client.initialize(root=self.folder.as_uri())
                client.open(uri, "import os\n\n\n")
                client.answer(client.inline(uri, 2, 0))
                memory = client.ask("weft/status")["result"].get("memory")
                self.assertEqual(memory and set(memory[0]), keys)
                self.assertEqual(client.stop(), 0)

    def test_every_request_of_a_burst_is_answered_once(self):
        client = self.start("--model", MODEL)
        client.initialize()
        client.open(self.path.as_uri(), self.text)
        ids = [client.inline(self.path.as_uri(), line, character) for line, character in self.places()]
        client.notify("$/cancelRequest", {"id": ids[-1]})
        for request_id in ids:
            answer = client.answer(request_id)
            self.assertTrue("result" in answer or answer["error"]["code"] == -32800)
        client.stop()
        answered = [m["id"] for m in client.seen if "method" not in m]
        self.assertEqual(len(answered), len(set(answered)))

    def test_typing_never_gives_stale_places(self):
        client = self.start("--model", MODEL)
        client.initialize()
        client.open(URI, "import os\n\n\ndef f(path):\n    \n")
        typed = "return os.path.join(path, "
        for i, key in enumerate(typed):
            at = {"line": 4, "character": 4 + i}
            client.notify("textDocument/didChange", {
                "textDocument": {"uri": URI, "version": 2 + i},
                "contentChanges": [{"range": {"start": at, "end": at}, "text": key}]})
            result = client.answer(client.inline(URI, 4, 5 + i))["result"]
            for item in result["items"]:
                start, end = item["range"]["start"]["character"], item["range"]["end"]["character"]
                self.assertLessEqual(start, 5 + i)
                self.assertGreaterEqual(end, 5 + i)
        self.assertEqual(client.stop(), 0)

    def test_popup_completion(self):
        client = self.start("--model", MODEL)
        client.initialize()
        client.open(self.path.as_uri(), self.text)
        offered = []
        for line, character in self.places():
            self.take_rest_away(client, line, character)
            offered += client.ask("textDocument/completion", {
                "textDocument": {"uri": self.path.as_uri()},
                "position": {"line": line, "character": character}})["result"]["items"]
        self.assertTrue(offered)
        self.assertTrue(all(item["textEdit"]["newText"] and item["label"] for item in offered))
        client.stop()

    def test_check_prints_stages_and_offers(self):
        line, character = self.places()[0]
        result = run("check", f"{self.path}:{line + 1}:{character + 1}", "--model", MODEL)
        self.assertEqual(result.returncode, 0, result.stderr)
        for stage in ("initialize", "model", "open", "prompt", "prefill", "decode", "answer"):
            self.assertRegex(result.stdout, rf"(?m)^{stage} +[0-9.]+ ms")


def main():
    global WEFTD, MODEL, GOLDEN
    suites = {"lifecycle": Lifecycle, "input": Input, "recording": Recording, "broken_model": BrokenModel,
              "completion": Completion}
    parser = argparse.ArgumentParser()
    parser.add_argument("--weftd", required=True)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--golden", required=True, type=pathlib.Path)
    parser.add_argument("suite", choices=suites)
    arguments = parser.parse_args()
    WEFTD, MODEL, GOLDEN = arguments.weftd, arguments.model, arguments.golden
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(suites[arguments.suite])
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if not result.wasSuccessful():
        return 1
    return SKIPPED if result.skipped and len(result.skipped) >= result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
