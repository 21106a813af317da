"""What `make demo` runs: the real weftd completes three places of a real file of Python's standard library.

At each place the rest of the line is taken away, as if someone were typing there, weftd is asked what comes next, and the
line is put back. Ends with 1 where weftd dies, has no model, or offers nothing at any of the places.
"""

import argparse
import pathlib
import sys
import sysconfig

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from lsp_client import Document, Server  # noqa: E402 (the path comes first)

CONTEXT_LINES = 4

# What stands before the cursor, in a file that is kept out of the training data.
FILE = "textwrap.py"
PLACES = ["        self.drop_whitespace = ", "                    cur_line.append(", "        return self._wrap_"]


class Ink:
    """Sets the suggestion off: in colour on a terminal, between brackets elsewhere."""

    def __init__(self, terminal):
        self.terminal = terminal

    def faint(self, text):
        return f"\x1b[2m{text}\x1b[0m" if self.terminal else text

    def suggestion(self, text):
        return f"\x1b[7;32m{text}\x1b[0m" if self.terminal else f"⟦{text}⟧"


def find_place(lines, typed):
    for number, line in enumerate(lines):
        if line.startswith(typed) and len(line) > len(typed):
            return number, len(typed)
    raise SystemExit(f"no line of this Python's {FILE} goes on after {typed.strip()!r}")


def offered_text(item, line, column):
    """What the editor would show after the cursor: an item may begin with what is typed already."""
    text = item["insertText"]
    text = text["value"] if isinstance(text, dict) else text
    start = item.get("range", {}).get("start", {"line": line, "character": column})
    return text[column - start["character"]:] if start["line"] == line else text


def show(ink, lines, line, column, text, waited_ms):
    for number in range(max(line - CONTEXT_LINES, 0), line):
        print(ink.faint(f"{number + 1:5} │ {lines[number]}"))
    suggestion = ("\n" + " " * 6 + "│ ").join(ink.suggestion(part) for part in text.split("\n"))
    print(f"{line + 1:5} │ {lines[line][:column]}{suggestion if text else ink.faint('(nothing offered)')}")
    print(f"{'':5}   {waited_ms:.0f} ms; the file says {lines[line][column:].strip()!r}\n")


def complete_place(document, lines, line, column):
    """Milliseconds and the text offered, or an empty text; the document is afterwards as it was."""
    rest = lines[line][column:]
    cursor = {"line": line, "character": column}
    document.change(cursor, {"line": line, "character": len(lines[line])}, "")
    waited_ms, items = document.complete(line, column)
    document.change(cursor, cursor, rest)
    return waited_ms, offered_text(items[0], line, column) if items else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weftd", required=True, type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path, help="model directory (default: the one that came along)")
    arguments = parser.parse_args()
    if not arguments.weftd.exists():
        raise SystemExit(f"no program {arguments.weftd}: run `make build`")
    path = pathlib.Path(sysconfig.get_paths()["stdlib"]) / FILE
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    ink = Ink(sys.stdout.isatty())

    server = Server([str(arguments.weftd), "--stdio", "--no-share"]
                    + (["--model", str(arguments.model)] if arguments.model else []))
    server.initialize()
    document = Document(server, path.resolve(), text)
    status = server.wait_until_ready()
    print(f"{path}, as if someone were typing in it:\n")
    answered = 0
    for typed in PLACES:
        line, column = find_place(lines, typed)
        waited_ms, suggestion = complete_place(document, lines, line, column)
        show(ink, lines, line, column, suggestion, waited_ms)
        answered += bool(suggestion)
    exit_code = server.stop()
    model = status["model"]
    print(f"model {model['name']}: {model['parameters']:,} parameters, {model['dtype']} on {model['device']}; "
          f"{answered} of {len(PLACES)} places answered")
    if exit_code != 0:
        raise SystemExit(f"weftd ended with {exit_code} after shutdown")
    if not answered:
        raise SystemExit("weftd offered nothing at any of the places")
    return 0


if __name__ == "__main__":
    sys.exit(main())
