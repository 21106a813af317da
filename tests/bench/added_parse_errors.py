"""How many suggestions break Python where they are inserted, by Python's own parser.

    weft eval completion --data HELD_OUT --json --details > report.json
    python3 tests/bench/added_parse_errors.py report.json [--list]

Each suggestion is put where it was offered; what it leaves open is closed (strings, brackets, a statement that lacks its
end, a body by `pass`, a `try` by a `finally`), and the file is parsed. A suggestion adds an error where the file does not
parse with it and does with nothing, or with a name, in its place. Where it does not parse with those either (the line that
is missing held other lines), the text up to the suggestion is judged in the same way, without what follows. Files that this
Python does not read are left out. Ends with 1 where a suggestion adds an error.
"""

import argparse
import ast
import functools
import json
import re
import sys
import warnings

PAIRS = {"(": ")", "[": "]", "{": "}"}
STRING = re.compile(r"[A-Za-z]{0,2}('''|\"\"\"|'|\")")
# What a statement with the word may lack at its end.
ENDINGS = {"def": [":", "():"], "class": [":"], "if": [":", " else _"], "for": [":", " in _:", " in _"], "while": [":"],
           "with": [":"], "elif": [":"], "else": [":"], "try": [":"], "except": [":"], "finally": [":"], "match": [":"],
           "case": [":"], "from": [" import _"], "lambda": [": _", " _: _"], "import": [" _"]}


def open_at_end(text):
    """What closes the string and the brackets that the text leaves open, and whether it ends in a comment."""
    stack, at = [], 0
    while at < len(text):
        string = STRING.match(text, at)
        if string:
            quote = string.group(1)
            end = string.end()
            while end < len(text) and not text.startswith(quote, end):
                if len(quote) == 1 and text[end] == "\n":
                    break
                end += 2 if text[end] == "\\" else 1
            if end >= len(text):
                rest = text[string.end():]
                escaped = (len(rest) - len(rest.rstrip("\\"))) % 2 == 1
                return (" " if escaped else "") + quote + "".join(reversed(stack)), False
            at = end + (len(quote) if text.startswith(quote, end) else 0)
            continue
        word = re.compile(r"\w+").match(text, at)
        if word:
            at = word.end()
            continue
        if text[at] == "#":
            end = text.find("\n", at)
            if end < 0:
                return "".join(reversed(stack)), True
            at = end
            continue
        if text[at] in PAIRS:
            stack.append(PAIRS[text[at]])
        elif stack and text[at] == stack[-1]:
            stack.pop()
        at += 1
    return "".join(reversed(stack)), False


def sequels(text):
    """Ends for statements around the end of the text that must go on, innermost first."""
    out, limit = "", None
    for line in reversed(text.split("\n")):
        indentation = len(line) - len(line.lstrip(" \t"))
        if not line.strip() or (limit is not None and indentation >= limit):
            continue
        if line.lstrip().startswith("try:"):
            out += "\n" + line[:indentation] + "finally: pass"
        elif limit is None and line.lstrip().startswith("@"):
            out += "\n" + line[:indentation] + "def _(): pass"
        limit = indentation
    return out


def closings(text):
    """What may close the text, likeliest first."""
    brackets, comment = open_at_end(text)
    if comment and brackets:
        brackets = "\n" + brackets
    line = text[text.rfind("\n") + 1:]
    indentation = line[:len(line) - len(line.lstrip(" \t"))]
    statement = text[-2000:] if brackets else line
    ends = [""] + [end for word, endings in ENDINGS.items() if re.search(rf"\b{word}\b", statement) for end in endings]
    after = sequels(text)
    for filler in ["", "_"]:
        for end in ends:
            closed = filler + brackets + end
            for body in ["", "\n" + indentation + " pass"]:
                yield closed + body
                if after:
                    yield closed + body + after


@functools.lru_cache(maxsize=4096)
def parses(source):
    try:
        ast.parse(source)
        return True
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def fits(before, insertion, after):
    return any(parses(before + insertion + closing + after) for closing in closings(before + insertion))


def adds_error(before, insertion, after):
    for following in dict.fromkeys([after, ""]):
        if fits(before, insertion, following):
            return False
        if any(fits(before, neutral, following) for neutral in ["", "_", "pass"]):
            return True
    return False


def check(place):
    """True: it adds an error; None: this Python does not read the file."""
    with open(place["path"], "rb") as file:
        source = file.read()
    if not parses(source.decode()):
        return None
    end = source.find(b"\n", place["offset"])
    following = source[end:].decode() if end >= 0 and place["direction"] == "infilling" else ""
    return adds_error(source[:place["offset"]].decode(), place["offered"], following)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", help="JSON of weft eval completion --details")
    parser.add_argument("--list", action="store_true", help="print what adds an error")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with open(arguments.report, encoding="utf-8") as file:
        places = [p for p in json.load(file)["places"] if p["language"] == "python" and p["offered"]]
    results = [(place, check(place)) for place in places]
    wrong = [place for place, result in results if result]
    print(json.dumps({"suggestions": sum(result is not None for _, result in results),
                      "adding_errors": len(wrong),
                      "of_them_shown": sum(place["shown"] for place in wrong),
                      "by_the_gate": sum(place["adds_error"] for place, result in results if result is not None)}))
    if arguments.list:
        for place in wrong:
            print(f"{place['path']} at {place['offset']}, {place['direction']}: {place['offered']!r}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
