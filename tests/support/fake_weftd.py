#!/usr/bin/env python3
"""A FAKE weftd for the editors' tests: speaks enough LSP over stdio, has no model. Never installed, never shipped.

It offers what its script says: a JSON list of texts, each offered behind a line that begins like it. With --silent it
offers nothing, ever. With --late it keeps every answer back until the next edit arrives, so that each one is stale.
With --whole-line an item replaces its line from the first letter on instead of standing at the cursor. With --broken it
complains at length that it has no model.
"""
import argparse
import json
import sys

COMPLAINT = "no model in " + 20 * "/a/long/way/down" + ":\nsecond line"


class Server:
    def __init__(self, options, script):
        self.options = options
        self.script = script
        self.documents = {}
        self.kept_back = []
        self.shut_down = False

    def run(self):
        while (message := read_message()) is not None:
            method = message.get("method")
            if method == "exit":
                return 0 if self.shut_down else 1
            if "id" in message and method is not None:
                self.answer(message)
            elif method in ("textDocument/didOpen", "textDocument/didChange"):
                self.change(message["params"])
        return 1

    def answer(self, message):
        method, params = message["method"], message.get("params")
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        if method == "initialize":
            reply["result"] = {
                "capabilities": {"textDocumentSync": 1, "positionEncoding": "utf-16", "inlineCompletionProvider": {}},
                "serverInfo": {"name": "weftd", "version": "fake"}}
        elif method == "shutdown":
            self.shut_down = True
            reply["result"] = None
        elif method == "weft/status":
            reply["result"] = {"state": "ready", "model": {"name": "scripted"}}
            if self.options.broken:
                reply["result"] = {"state": "failed", "error": COMPLAINT}
        elif method == "textDocument/inlineCompletion":
            reply["result"] = {"items": self.items(params)}
            if self.options.late:
                self.kept_back.append(reply)
                return
        else:
            reply["error"] = {"code": -32601, "message": f"unknown method {method}"}
        write_message(reply)

    def change(self, params):
        document = params["textDocument"]
        if self.options.broken:
            write_message({"jsonrpc": "2.0", "method": "window/showMessage", "params": {"type": 1, "message": COMPLAINT}})
        self.documents[document["uri"]] = document.get("text") or params["contentChanges"][-1]["text"]
        for reply in self.kept_back:
            write_message(reply)
        self.kept_back.clear()

    def items(self, params):
        if self.options.silent:
            return []
        row, column = params["position"]["line"], params["position"]["character"]
        line = self.documents[params["textDocument"]["uri"]].split("\n")[row]
        before = line.encode("utf-16-le")[:2 * column].decode("utf-16-le")
        typed = before.lstrip()
        indent = len(before) - len(typed)
        items = []
        for text in self.script:
            if typed and text.startswith(typed) and text != typed:
                whole = text.replace("\n", "\n" + " " * indent)
                from_column = indent if self.options.whole_line else column
                items.append({
                    "insertText": whole if self.options.whole_line else whole[len(typed):],
                    "range": {"start": {"line": row, "character": from_column}, "end": params["position"]}})
        return items


def read_message():
    length = None
    while (line := sys.stdin.buffer.readline()).strip():
        name, _, value = line.decode("ascii").partition(":")
        if name.lower() == "content-length":
            length = int(value)
    return None if length is None else json.loads(sys.stdin.buffer.read(length))


def write_message(message):
    body = json.dumps(message).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    sys.stdout.buffer.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stdio", action="store_true")
    parser.add_argument("--version", action="version", version="weftd fake")
    parser.add_argument("--model", help="accepted, not read")
    parser.add_argument("--script", help="JSON file: the list of texts to offer")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--late", action="store_true")
    parser.add_argument("--broken", action="store_true")
    parser.add_argument("--whole-line", action="store_true")
    options = parser.parse_args()
    script = []
    if options.script:
        with open(options.script, encoding="utf-8") as file:
            script = json.load(file)
    return Server(options, script).run()


if __name__ == "__main__":
    sys.exit(main())
