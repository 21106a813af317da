#!/usr/bin/env python3
"""Makes a trace of what record.lua or record.ts left: what the editors sent, on one clock, with no path of the machine.

  pack.py FOLDER/NAME.parts.json SCENARIO TRACE

The format is `weftd --record`'s, a JSON object a line, with the body as JSON instead of as a string, "editor" counted
from 0, and a first line that says what it is.
"""
import json
import pathlib
import sys

NEUTRAL = "/project"
# Asked by the recorder itself to learn when the model is there; the replay waits by itself.
OURS = {"weft/status"}
FOREIGN_PATHS = ("/tmp/", "/root/", "/home/", "/var/")


def client_messages(part: dict):
    """(milliseconds on the clock that all parts share, message)"""
    folder = part["folder"]
    for line in pathlib.Path(part["recording"]).read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry["from"] != "client":
            continue
        message = json.loads(entry["body"].replace(folder, NEUTRAL))
        if "method" not in message or message["method"] in OURS:
            continue
        if message["method"] == "initialize":
            message["params"]["processId"] = None
            message["params"].pop("initializationOptions", None)
        for change in message.get("params", {}).get("contentChanges", []):
            change.pop("rangeLength", None)  # deprecated, and a tenth of a trace
        yield part["begin_ms"] + entry["time_ms"], message


def main() -> None:
    parts_file, scenario_file, trace = sys.argv[1:]
    parts = json.loads(pathlib.Path(parts_file).read_text("utf-8"))
    scenario = json.loads(pathlib.Path(scenario_file).read_text("utf-8"))
    lines = sorted(
        ((at_ms, editor, message) for editor, part in enumerate(parts["parts"]) for at_ms, message in client_messages(part)),
        key=lambda line: line[0])
    begin_ms = lines[0][0]
    head = {"about": scenario["about"], "recorded_with": parts["editor"], "texts": parts["texts"], "seed": scenario["seed"]}
    out = [json.dumps(head)]
    for at_ms, editor, message in lines:
        entry = {"time_ms": round(at_ms - begin_ms, 1), "editor": editor, "body": message}
        out.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
    text = "\n".join(out) + "\n"
    for path in FOREIGN_PATHS:
        if path in text:
            at = text.index(path)
            sys.exit(f"a path of this machine is left: {text[max(0, at - 60):at + 60]!r}")
    pathlib.Path(trace).write_text(text, "utf-8")
    methods: dict[str, int] = {}
    for _, _, message in lines:
        methods[message["method"]] = methods.get(message["method"], 0) + 1
    print(f"{trace}: {len(text) // 1000} kB, {(lines[-1][0] - begin_ms) / 1000:.0f} s, {methods}")


if __name__ == "__main__":
    main()
