#!/usr/bin/env python3
"""The files of a scenario with their cuts made, as JSON: {"files": {name: text}, "cuts": {id: {"above", "lines"}},
"texts": [where each text is from]}.

  prepare.py SCENARIO
"""
import json
import pathlib
import sys
import sysconfig

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
CONTEXT_LINES = 3  # above a cut, by which it is found again


def read_source(name: str, source: str) -> tuple[str, str]:
    """The text, and where it is from with its licence."""
    if source == "python":
        path = pathlib.Path(sysconfig.get_paths()["stdlib"]) / name
        return path.read_text("utf-8"), f"{name} of CPython {sys.version.split()[0]}, PSF-2.0"
    path = source.removeprefix("repository:")
    return (REPOSITORY / path).read_text("utf-8"), f"{path} of this repository, Apache-2.0"


def find(lines: list[str], first: str, nth: int) -> int:
    places = [i for i, line in enumerate(lines) if line == first]
    if len(places) < nth:
        sys.exit(f"no {nth}. line {first!r}: the file is another one than the scenario was written for")
    return places[nth - 1]


def main() -> None:
    scenario = json.loads(pathlib.Path(sys.argv[1]).read_text("utf-8"))
    out: dict = {"files": {}, "cuts": {}, "texts": []}
    for file in scenario["files"]:
        text, origin = read_source(file["name"], file["source"])
        out["texts"].append(origin)
        lines = text.rstrip("\n").split("\n")
        cuts = sorted(((find(lines, cut["first"], cut.get("nth", 1)), cut) for cut in file["cut"]), key=lambda at: -at[0])
        for at, cut in cuts:
            taken = lines[at:at + cut["lines"]]
            out["cuts"][cut["id"]] = {"above": lines[max(0, at - CONTEXT_LINES):at], "lines": taken}
            del lines[at:at + cut["lines"]]
        out["files"][file["name"]] = "\n".join(lines)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
