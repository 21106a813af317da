"""A client that can also misbehave: raw bytes to a weftd on pipes, and what comes back, sorted. Standard library only.

Every wait has a limit, after which the daemon is killed and the test fails; nothing sleeps.
"""

import json
import os
import queue
import subprocess
import threading

PATIENCE_S = 60


def frame(body):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class Client:
    def __init__(self, weftd, *arguments, **environment):
        env = {k: v for k, v in os.environ.items() if k != "WEFT_MODEL"} | environment
        self.process = subprocess.Popen([weftd, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=env)
        self.messages, self.stray, self.log = queue.Queue(), b"", b""
        self.seen = []
        self.next_id = 0
        self.threads = [threading.Thread(target=self._read_frames), threading.Thread(target=self._read_log)]
        for thread in self.threads:
            thread.start()

    def _read_frames(self):
        """Frames to the queue; whatever else stands on stdout is kept as `stray`."""
        while True:
            length = None
            while line := self.process.stdout.readline():
                if not line.strip():
                    break
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
                else:
                    self.stray += line
            if length is None:
                self.messages.put(None)
                return
            self.messages.put(json.loads(self.process.stdout.read(length)))

    def _read_log(self):
        self.log = self.process.stderr.read()

    def send_bytes(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def notify(self, method, params=None):
        self.send_bytes(frame({"jsonrpc": "2.0", "method": method, "params": params}))

    def request(self, method, params=None):
        self.next_id += 1
        self.send_bytes(frame({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}))
        return self.next_id

    def receive(self, wanted):
        """The first message, already there or to come, that is `wanted`."""
        for message in self.seen:
            if wanted(message):
                return message
        while True:
            message = self.messages.get(timeout=PATIENCE_S)
            if message is None:
                raise AssertionError(f"weftd ended with {self.process.wait()}: {self.log.decode(errors='replace')}")
            self.seen.append(message)
            if "method" in message and "id" in message:
                self.send_bytes(frame({"jsonrpc": "2.0", "id": message["id"], "result": None}))
            if wanted(message):
                return message

    def answer(self, request_id):
        return self.receive(lambda message: "method" not in message and message.get("id") == request_id)

    def notification(self, method):
        return self.receive(lambda message: message.get("method") == method)

    def ask(self, method, params=None):
        return self.answer(self.request(method, params))

    def initialize(self, encodings=("utf-8",), capabilities=None, root=None):
        answer = self.ask("initialize", {"processId": os.getpid(), "rootUri": root, "capabilities": {
            "general": {"positionEncodings": list(encodings)}, "window": {"workDoneProgress": True},
            **(capabilities or {})}})
        self.notify("initialized", {})
        return answer

    def open(self, uri, text):
        self.notify("textDocument/didOpen", {"textDocument": {
            "uri": uri, "languageId": "python", "version": 1, "text": text}})

    def inline(self, uri, line, character):
        return self.request("textDocument/inlineCompletion", {
            "textDocument": {"uri": uri}, "position": {"line": line, "character": character},
            "context": {"triggerKind": 2}})

    def wait(self):
        """The exit code, once the daemon has ended by itself."""
        try:
            return self.process.wait(timeout=PATIENCE_S)
        finally:
            self.close()

    def end_input(self):
        self.process.stdin.close()
        return self.wait()

    def stop(self):
        self.ask("shutdown")
        self.notify("exit")
        return self.wait()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for thread in self.threads:
            thread.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
