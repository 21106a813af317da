"""How long an editor waits: the real weftd over stdio, inline completion in a real file, warm. Prints JSON.

Standard library only. Places are asked for once each, so that the result cache has no answer; then lines are typed key
by key.
"""

import argparse
import json
import math
import pathlib
import statistics
import sys
import sysconfig
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lsp_client import Document, Server  # noqa: E402 (the path comes first)


def choose_places(lines, count):
    good = [(i, len(line) - len(line.lstrip()) + len(line.strip()) // 2) for i, line in enumerate(lines)
            if len(line.strip()) >= 12 and line.isascii() and not line.strip().startswith("#")]
    count = min(count, len(good))
    return [good[i * len(good) // count] for i in range(count)]


def summary(samples):
    waited = sorted(ms for ms, _ in samples)
    rank = lambda share: round(waited[max(math.ceil(share * len(waited)), 1) - 1], 2)
    return {"requests": len(waited), "p50_ms": rank(0.5), "p95_ms": rank(0.95), "max_ms": rank(1),
            "mean_ms": round(statistics.fmean(waited), 2), "answered": sum(bool(items) for _, items in samples)}


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
    server.initialize()
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
