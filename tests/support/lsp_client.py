"""A language client on pipes for the demo and the benches: one weftd, one document, requests one after the other.

Standard library only. A server that ends or keeps silent ends the program with the reason.
"""

import collections
import json
import os
import subprocess
import threading
import time


class Server:
    """One weftd on pipes. Requests of the server are answered with null, notifications are counted."""

    def __init__(self, command, patience_s=300):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.next_id = 0
        self.notifications = collections.Counter()
        self.patience_s = patience_s

    def send(self, **message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        try:
            self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            self.process.stdin.flush()
        except BrokenPipeError:
            self.fail_ended()

    def fail_ended(self):
        code = self.process.wait()
        raise SystemExit(f"weftd ended with {code}" if code >= 0 else f"weftd was ended by signal {-code}")

    def read(self):
        length = None
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if length is None:
            self.fail_ended()
        return json.loads(self.process.stdout.read(length))

    def notify(self, method, params):
        self.send(method=method, params=params)

    def request(self, method, params):
        # A server that never answers is killed, which ends the read below.
        watchdog = threading.Timer(self.patience_s, self.process.kill)
        watchdog.start()
        try:
            return self.ask(method, params)
        finally:
            watchdog.cancel()

    def ask(self, method, params):
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

    def initialize(self):
        self.request("initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": {
            "general": {"positionEncodings": ["utf-8", "utf-16"]},
            "textDocument": {"inlineCompletion": {}}, "window": {"workDoneProgress": True}}})
        self.notify("initialized", {})

    def wait_until_ready(self, patience_s=300):
        """The server's status once the model is loaded."""
        end = time.monotonic() + patience_s
        while (status := self.request("weft/status", None))["state"] == "loading":
            if time.monotonic() > end:
                raise SystemExit(f"weftd still loads its model after {patience_s} s")
            time.sleep(0.05)
        if status["state"] != "ready":
            raise SystemExit(f"weftd has no model: {status.get('message') or status.get('error') or status}")
        return status

    def stop(self):
        self.request("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(timeout=30)


class Document:
    """An open document of a server. Positions are lines and columns from zero; the text is meant to be ASCII."""

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
        """Milliseconds until the answer, and the items of it."""
        begin = time.perf_counter()
        result = self.server.request("textDocument/inlineCompletion", {
            "textDocument": {"uri": self.uri}, "position": {"line": line, "character": character},
            "context": {"triggerKind": 2}})
        waited = (time.perf_counter() - begin) * 1000
        return waited, result.get("items", []) if isinstance(result, dict) else result or []
