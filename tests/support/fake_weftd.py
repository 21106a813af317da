#!/usr/bin/env python3
"""A FAKE weftd for the editors' tests: speaks enough LSP over stdio, has no model. Never installed, never shipped.

It offers what its script says: a JSON list of texts, each offered behind a line that begins like it. With --silent it
offers nothing, ever. With --late it keeps every answer back until the next edit arrives, so that each one is stale.
With --whole-line an item replaces its line from the first letter on instead of standing at the cursor. With --broken it
complains at length that it has no model.

With --actions it has code actions and warnings: a JSON object of "function", the text that "Generate function" writes
under a comment, and "bugs", an object of lines that are warned of after a save and what each should be. Both look as
weftd's do.
"""
import argparse
import json
import sys

CONTENT_MODIFIED, METHOD_NOT_FOUND = -32801, -32601
COMPLAINT = "no model in " + 20 * "/a/long/way/down" + ":\nsecond line"


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


class Server:
    def __init__(self, options, script, actions):
        self.options = options
        self.script = script
        self.actions = actions
        self.documents = {}
        self.versions = {}
        self.kept_back = []
        self.warned = set()
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
            elif method == "textDocument/didSave":
                self.warn(message["params"]["textDocument"]["uri"])
        return 1

    def answer(self, message):
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        handler = {
            "initialize": self.initialize,
            "shutdown": self.shutdown,
            "weft/status": self.status,
            "textDocument/inlineCompletion": lambda params: {"items": self.items(params)},
            "textDocument/codeAction": self.code_actions,
            "codeAction/resolve": self.resolve,
        }.get(message["method"])
        try:
            if handler is None:
                raise Refused(METHOD_NOT_FOUND, f"unknown method {message['method']}")
            reply["result"] = handler(message.get("params"))
        except Refused as refused:
            reply["error"] = {"code": refused.code, "message": refused.message}
        if self.options.late and message["method"] == "textDocument/inlineCompletion":
            self.kept_back.append(reply)
        else:
            write_message(reply)

    def initialize(self, _):
        capabilities = {
            "textDocumentSync": {"openClose": True, "change": 1, "save": {"includeText": False}},
            "positionEncoding": "utf-16",
            "inlineCompletionProvider": {}}
        if self.actions:
            kinds = ["quickfix", "refactor.rewrite"]
            capabilities["codeActionProvider"] = {"codeActionKinds": kinds, "resolveProvider": True}
        return {"capabilities": capabilities, "serverInfo": {"name": "weftd", "version": "fake"}}

    def shutdown(self, _):
        self.shut_down = True

    def status(self, _):
        if self.options.broken:
            return {"state": "failed", "error": COMPLAINT}
        return {"state": "ready", "model": {"name": "scripted"}}

    def change(self, params):
        document = params["textDocument"]
        if self.options.broken:
            write_message({"jsonrpc": "2.0", "method": "window/showMessage", "params": {"type": 1, "message": COMPLAINT}})
        self.versions[document["uri"]] = document["version"]
        self.documents[document["uri"]] = document.get("text") or params["contentChanges"][-1]["text"]
        for reply in self.kept_back:
            write_message(reply)
        self.kept_back.clear()
        if document["uri"] in self.warned:
            self.warn(document["uri"])

    def bugs(self, uri):
        """Each line that is warned of, as its range and what it should be."""
        for row, line in enumerate(self.documents[uri].split("\n")):
            if (fixed := self.actions.get("bugs", {}).get(line.strip())) is not None:
                column = len(line) - len(line.lstrip())
                yield {"start": {"line": row, "character": column}, "end": {"line": row, "character": len(line)}}, fixed

    def warn(self, uri):
        self.warned.add(uri)
        diagnostics = [
            {"range": where, "severity": 4, "code": "possible-bug", "source": "weft",
             "message": f"Possible bug: should this be `{fixed}`?", "data": {"probability": 0.9}}
            for where, fixed in self.bugs(uri)]
        params = {"uri": uri, "version": self.versions[uri], "diagnostics": diagnostics}
        write_message({"jsonrpc": "2.0", "method": "textDocument/publishDiagnostics", "params": params})

    def code_actions(self, params):
        uri, row = params["textDocument"]["uri"], params["range"]["start"]["line"]
        actions = [
            {"title": f"Replace with `{fixed}`", "kind": "quickfix", "edit": self.edit(uri, where, fixed),
             "diagnostics": [at for at in params["context"]["diagnostics"] if at["range"] == where]}
            for where, fixed in self.bugs(uri) if where["start"]["line"] == row]
        if self.documents[uri].split("\n")[row].startswith("#"):
            data = {"uri": uri, "version": self.versions[uri], "row": row}
            actions.append({"title": "Generate function from comment", "kind": "refactor.rewrite", "data": data})
        return actions

    def resolve(self, action):
        if (data := action.get("data")) is None:
            return action  # a quick fix is whole already; Neovim asks all the same
        if data["version"] != self.versions[data["uri"]]:
            raise Refused(CONTENT_MODIFIED, "the document is another one by now")
        under = {"line": data["row"] + 1, "character": 0}
        edit = self.edit(data["uri"], {"start": under, "end": under}, self.actions["function"] + "\n")
        return {**action, "edit": edit}

    def edit(self, uri, where, text):
        document = {"uri": uri, "version": self.versions[uri]}
        return {"documentChanges": [{"textDocument": document, "edits": [{"range": where, "newText": text}]}]}

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


def read_json(path, without):
    if path is None:
        return without
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stdio", action="store_true")
    parser.add_argument("--version", action="version", version="weftd fake")
    parser.add_argument("--model", help="accepted, not read")
    parser.add_argument("--script", help="JSON file: the list of texts to offer")
    parser.add_argument("--actions", help="JSON file: the function to generate, the lines to warn of")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--late", action="store_true")
    parser.add_argument("--broken", action="store_true")
    parser.add_argument("--whole-line", action="store_true")
    options = parser.parse_args()
    return Server(options, read_json(options.script, []), read_json(options.actions, {})).run()


if __name__ == "__main__":
    sys.exit(main())
