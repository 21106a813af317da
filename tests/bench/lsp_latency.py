"""How long an editor waits: the real weftd over stdio, inline completion in a real file, warm. Prints JSON.

Standard library only. Places are asked for once each, so that the result cache has no answer; then lines are typed key
by key.
"""

import argparse
import collections
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import sysconfig
import time


class Server:
    """One weftd on pipes. Requests of the server are answered with null, notifications are counted."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.next_id = 0
        self.notifications = collections.Counter()

    def send(self, **message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def read(self):
        length = None
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if length is None:
            raise SystemExit(f"weftd ended with {self.process.wait()}")
        return json.loads(self.process.stdout.read(length))

    def notify(self, method, params):
        self.send(method=method, params=params)

    def request(self, method, params):
        self.next_id += 1
        self.send(id=self.next_id, method=method, params=params)
        while True:
            message = self.read()
            if "method" not in message and message.get("id") == self.next_id:
                if "error" in message:
                    raise SystemExit(f"{method}: {message['error']}")
                return message["result"]
            if "method" in message and "id" in message:
                self.send(id=message["id"], result=None)
            else:
                self.notifications[message.get("method", "")] += 1

    def stop(self):
        self.request("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(timeout=30)


class Document:
    def __init__(self, server, path, text):
        self.server, self.uri, self.text, self.version = server, path.as_uri(), text, 1
        server.notify("textDocument/didOpen", {"textDocument": {
            "uri": self.uri, "languageId": "python", "version": 1, "text": text}})

    def change(self, start, end, text):
        self.version += 1
        self.server.notify("textDocument/didChange", {
            "textDocument": {"uri": self.uri, "version": self.version},
            "contentChanges": [{"range": {"start": start, "end": end}, "text": text}]})

    def complete(self, line, character):
        """Milliseconds until the answer, and whether anything was offered."""
        begin = time.perf_counter()
        result = self.server.request("textDocument/inlineCompletion", {
            "textDocument": {"uri": self.uri}, "position": {"line": line, "character": character},
            "context": {"triggerKind": 2}})
        waited = (time.perf_counter() - begin) * 1000
        items = result.get("items", []) if isinstance(result, dict) else result or []
        return waited, bool(items)


def choose_places(lines, count):
    good = [(i, len(line) - len(line.lstrip()) + len(line.strip()) // 2) for i, line in enumerate(lines)
            if len(line.strip()) >= 12 and line.isascii() and not line.strip().startswith("#")]
    count = min(count, len(good))
    return [good[i * len(good) // count] for i in range(count)]


def summary(samples):
    waited = sorted(ms for ms, _ in samples)
    rank = lambda share: round(waited[max(math.ceil(share * len(waited)), 1) - 1], 2)
    return {"requests": len(waited), "p50_ms": rank(0.5), "p95_ms": rank(0.95), "max_ms": rank(1),
            "mean_ms": round(statistics.fmean(waited), 2), "answered": sum(answered for _, answered in samples)}


def type_line(document, lines, place):
    """Empties one line from the place on and types it again, asking after each key."""
    line, column = place
    typed = lines[line][column:]
    document.change({"line": line, "character": column}, {"line": line, "character": len(lines[line])}, "")
    samples = []
    for i, key in enumerate(typed):
        at = {"line": line, "character": column + i}
        document.change(at, at, key)
        samples.append(document.complete(line, column + i + 1))
    return samples


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weftd", required=True, type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--file", type=pathlib.Path,
                        default=pathlib.Path(sysconfig.get_paths()["stdlib"]) / "textwrap.py")
    parser.add_argument("--places", type=int, default=30)
    parser.add_argument("--typed-lines", type=int, default=4)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    command = [str(arguments.weftd), "--stdio", "--no-share"]
    if arguments.model:
        command += ["--model", str(arguments.model)]
    text = arguments.file.read_text(encoding="utf-8")
    lines = text.splitlines()
    server = Server(command)
    server.request("initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": {
        "general": {"positionEncodings": ["utf-8", "utf-16"]},
        "textDocument": {"inlineCompletion": {}}, "window": {"workDoneProgress": True}}})
    server.notify("initialized", {})
    document = Document(server, arguments.file.resolve(), text)
    begin = time.perf_counter()
    document.complete(0, 0)  # waits for the model and warms it
    first_ms = (time.perf_counter() - begin) * 1000
    places = [document.complete(*place) for place in choose_places(lines, arguments.places)]
    typing = [sample for place in choose_places(lines, arguments.typed_lines)
              for sample in type_line(document, lines, place)]
    report = {"file": str(arguments.file), "lines": len(lines), "first_answer_ms": round(first_ms, 1),
              "places": summary(places), "typing": summary(typing), "exit_code": server.stop()}
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
