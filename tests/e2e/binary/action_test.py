"""Code actions of the real weftd with the default model, in a real file of the standard library."""

import argparse
import ast
import pathlib
import statistics
import sys
import sysconfig
import time
import unittest

from client import Client

SKIPPED = 77
WEFTD = ""
MODEL = pathlib.Path()
CAPABILITIES = {
    "textDocument": {"codeAction": {
        "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}, "dataSupport": True,
        "resolveSupport": {"properties": ["edit"]}, "tagSupport": {"valueSet": [1]}}},
    "workspace": {"workspaceEdit": {"documentChanges": True}}}
REQUEST_FAILED, CONTENT_MODIFIED, CANCELLED = -32803, -32801, -32800


def applied(text, change):
    """What the editor has once it has applied the edit. Positions are in UTF-8."""
    lines = text.encode().splitlines(keepends=True)
    def offset(at):
        return sum(map(len, lines[:at["line"]])) + at["character"]
    data = text.encode()
    start, end = offset(change["range"]["start"]), offset(change["range"]["end"])
    return (data[:start] + change["newText"].encode() + data[end:]).decode()


class Actions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (MODEL / "model.safetensors").is_file():
            raise unittest.SkipTest(f"no default model in {MODEL}")

    def setUp(self):
        path = pathlib.Path(sysconfig.get_paths()["stdlib"]) / "textwrap.py"
        self.uri = path.as_uri()
        before, marker, after = path.read_text().partition("def dedent(text):")
        self.text = f"{before}# Counts the lines of a text.\n\n\n{marker}{after}"
        self.line = before.count("\n") + 1
        self.client = Client(WEFTD, "--model", MODEL)
        self.addCleanup(self.client.close)
        self.client.initialize(capabilities=CAPABILITIES)
        self.client.open(self.uri, self.text)

    def list(self, line):
        at = {"line": line, "character": 0}
        return self.client.ask("textDocument/codeAction", {
            "textDocument": {"uri": self.uri}, "range": {"start": at, "end": at},
            "context": {"diagnostics": [], "triggerKind": 1}})["result"]

    def generate(self):
        [action] = [action for action in self.list(self.line) if action["title"].startswith("Generate function")]
        return action

    def test_lists_quickly_and_only_where_something_is_to_do(self):
        self.generate()  # the first one waits for the loading threads
        times_ms = []
        for _ in range(20):
            begin = time.perf_counter()
            self.generate()
            times_ms.append((time.perf_counter() - begin) * 1000)
        lines = self.text.count("\n")
        print(f"list of actions in {lines} lines: p50 {statistics.median(times_ms):.2f} ms, max {max(times_ms):.2f} ms")
        self.assertEqual(self.list(0), [])

    def test_the_edit_parses_or_the_failure_is_told(self):
        action = self.generate()
        self.assertEqual((action["kind"], action["tags"]), ("refactor.rewrite", [1]))
        answer = self.client.ask("codeAction/resolve", action)
        if "error" in answer:  # a small model may fail, and has to say so
            print("no function:", answer["error"])
            self.assertEqual(answer["error"]["code"], REQUEST_FAILED)
            self.assertTrue(answer["error"]["message"])
            return
        [change] = answer["result"]["edit"]["documentChanges"]
        self.assertEqual(change["textDocument"], {"uri": self.uri, "version": 1})
        [edit] = change["edits"]
        print(edit["newText"])
        def functions(text):
            return [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
        self.assertEqual(len(functions(applied(self.text, edit))), len(functions(self.text)) + 1)

    def test_a_change_meanwhile_is_noticed(self):
        request = self.client.request("codeAction/resolve", self.generate())
        at = {"line": 0, "character": 0}
        self.client.notify("textDocument/didChange", {
            "textDocument": {"uri": self.uri, "version": 2},
            "contentChanges": [{"range": {"start": at, "end": at}, "text": "\n"}]})
        self.assertEqual(self.client.answer(request)["error"]["code"], CONTENT_MODIFIED)

    def test_cancelling_frees_the_model(self):
        request = self.client.request("codeAction/resolve", self.generate())
        self.client.notify("$/cancelRequest", {"id": request})
        self.assertEqual(self.client.answer(request)["error"]["code"], CANCELLED)
        self.client.answer(self.client.inline(self.uri, self.line, 0))
        self.assertEqual(self.client.stop(), 0)


def main():
    global WEFTD, MODEL
    parser = argparse.ArgumentParser()
    parser.add_argument("--weftd", required=True)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    WEFTD, MODEL = arguments.weftd, arguments.model
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Actions))
    if not result.wasSuccessful():
        return 1
    return SKIPPED if result.skipped else 0


if __name__ == "__main__":
    sys.exit(main())
