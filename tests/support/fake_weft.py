#!/usr/bin/env python3
"""A FAKE weft for the editors' tests: trains nothing, loads nothing. Never installed, never shipped.

`train TASK --out DIR …` prints a step and appends its arguments to DIR/calls, `adapters add DIR` appends its own.
"""
import json
import pathlib
import sys


def main():
    arguments = sys.argv[1:]
    if arguments[0] == "train":
        folder = pathlib.Path(arguments[arguments.index("--out") + 1])
        print("step 1 of 1", flush=True)
    else:
        folder = pathlib.Path(arguments[-1])
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "calls", "a", encoding="utf-8") as file:
        print(json.dumps(arguments), file=file)


if __name__ == "__main__":
    main()
