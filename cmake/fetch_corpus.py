#!/usr/bin/env python3
"""Fetches the default model's training text: the packages and the standard library of model/default/corpus.json.

    fetch_corpus.py OUT               download, verify and extract into OUT/train, OUT/heldout and the other parts
    fetch_corpus.py OUT --describe    also rewrite the table of DATA_CARD.md, and NOTICE
    fetch_corpus.py OUT --pin-tree    write what came out into corpus.json, instead of checking it
    fetch_corpus.py --pin DIR         print corpus.json entries for the packages that lie in DIR

Only the ordinary package clients (pip and npm) download, and only files whose sha256 is pinned are used. Of a package
nothing but source files and licence texts is taken; nothing is ever installed or run. Folders of vendored code (it has
licences of its own), of tests and of built files are left out. What is named in another part than "train" never reaches
OUT/train, under whatever package it is found. The same pins give the same bytes, which the last step checks.
"""
import argparse
import dataclasses
import hashlib
import json
import pathlib
import shutil
import sys
import sysconfig

from corpus import packages
from corpus.describe import describe
from corpus.rules import Rules, folder_of

HOME = pathlib.Path(__file__).resolve().parent.parent / "model" / "default"


@dataclasses.dataclass
class Row:
    """What one source gave to one part."""
    entry: dict
    part: str
    files: int
    bytes: int
    licence_texts: dict


class Tree:
    """The files that are written: OUT/PART/FOLDER/PATH."""

    def __init__(self, out):
        self._out = out
        self._hashes = {}  # part -> {path: sha256}
        self._outside_training = set()  # sha256 of files

    def write(self, part, path, data):
        if ".." in pathlib.PurePosixPath(path).parts or path.startswith("/"):
            raise SystemExit(f"refused: {path} leaves its folder")
        target = self._out / part / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        self._hashes.setdefault(part, {})[path] = sha256
        if part != "train":
            self._outside_training.add(sha256)

    def is_outside_training(self, data):
        """Whether another part than "train" has this very file."""
        sha256 = hashlib.sha256(data).hexdigest()
        return bool(data.strip()) and sha256 in self._outside_training

    def sha256(self):
        """Of each part's sorted list of paths and sha256."""
        return {part: hashlib.sha256("".join(f"{p} {s}\n" for p, s in sorted(hashes.items())).encode()).hexdigest()
                for part, hashes in sorted(self._hashes.items())}


def extract(entry, part, archive, tree, rules):
    with packages.Package(archive) as package:
        files = size = 0
        for path, read, length in rules.chosen(entry, package.files, part != "train"):
            data = read()
            if part == "train" and tree.is_outside_training(data):
                continue
            tree.write(part, f"{folder_of(entry)}/{path}", data)
            files, size = files + 1, size + length
        texts = package.licence_texts(entry)
    if files == 0:
        raise SystemExit(f"{entry['file']}: nothing to take")
    if "licence_until" in entry:  # what follows is about compiled parts, which are not taken
        texts = {n: t.split(entry["licence_until"])[0] for n, t in texts.items()}
    return Row(entry, part, files, size, texts)


def extract_standard_library(corpus, tree, rules):
    """The library of the Python that runs this, in two parts."""
    row = corpus["standard_library"]
    source = pathlib.Path(sysconfig.get_paths()["stdlib"])
    version = ".".join(map(str, sys.version_info[:3]))
    if version != row["version"]:
        print(f"warning: the corpus has the standard library of Python {row['version']}, this is {version}",
              file=sys.stderr)
    licence = next((p for p in (source / "LICENSE.txt", source / "LICENSE") if p.is_file()), None)
    texts = {"LICENSE": licence.read_text()} if licence else {}
    digest, rows = hashlib.sha256(), {}
    entry = {"name": row["name"], "version": version, "licence": row["licence"], "language": "python"}
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source).as_posix()
        if not rules.is_source(name, "python") or any(name.startswith(p) for p in row["skip"]):
            continue
        data = path.read_bytes()
        digest.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
        part = "heldout" if rules.is_held_out(name) else "train"
        counts = rows.setdefault(part, Row(entry, part, 0, 0, texts))
        tree.write(part, f"{row['name']}/{name}", data)
        counts.files += 1
        counts.bytes += len(data)
    entry["sha256"] = digest.hexdigest()
    return list(rows.values())


def build(corpus, out, downloads):
    """Everything into OUT. Returns the tree and its rows."""
    parts = corpus["parts"]
    entries = [e for part in parts.values() for e in part]
    for part, chosen in parts.items():
        folders = [folder_of(e) for e in chosen]
        twice = {f for f in folders if folders.count(f) > 1}
        if twice:
            raise SystemExit(f"{part}: two packages have the folder {', '.join(sorted(twice))}")
    packages.download(corpus, entries, downloads)
    for part in parts:
        shutil.rmtree(out / part, ignore_errors=True)
    rules, tree, rows = Rules(corpus), Tree(out), []
    # Training comes last, when all that must not be in it is known.
    for part in sorted(parts, key=lambda p: p == "train"):
        for entry in parts[part]:
            rows.append(extract(entry, part, downloads / entry["file"], tree, rules))
        if part == "heldout":
            rows += extract_standard_library(corpus, tree, rules)
    for row in rows:
        for name, text in row.licence_texts.items():
            tree.write(row.part, f"{folder_of(row.entry)}/{name}", text.encode())
    for part in parts:
        licences = {folder_of(r.entry): r.entry["licence"] for r in rows if r.part == part}
        tree.write(part, "licences.json", (json.dumps(licences, indent=1, sort_keys=True) + "\n").encode())
    rows.sort(key=lambda r: list(parts).index(r.part))
    return tree, rows


def write_pins(corpus, path):
    """One package a line."""
    lines = []
    for key, value in corpus.items():
        if key != "parts":
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
            continue
        listed = [f"  {json.dumps(part)}: [\n" + ",\n".join("   " + json.dumps(e) for e in entries) + "\n  ]"
                  for part, entries in value.items()]
        lines.append(' "parts": {\n' + ",\n".join(listed) + "\n }")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def check(corpus, found):
    wrong = [part for part in sorted(corpus["tree_sha256"].keys() | found.keys())
             if corpus["tree_sha256"].get(part) != found.get(part)]
    for part in wrong:
        print(f"{part}: expected the tree {corpus['tree_sha256'].get(part)}, found {found.get(part)}", file=sys.stderr)
    if wrong:
        raise SystemExit("this is not the corpus of corpus.json")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=pathlib.Path, help="folder to write train/, heldout/ and so on into")
    parser.add_argument("--downloads", type=pathlib.Path, help="where the packages are kept (default: OUT/downloads)")
    parser.add_argument("--describe", action="store_true", help="rewrite the data card's table and NOTICE")
    parser.add_argument("--pin-tree", action="store_true", help="write what came out into corpus.json")
    parser.add_argument("--pin", type=pathlib.Path, metavar="DIR", help="print entries for the packages in DIR")
    arguments = parser.parse_args()
    if arguments.pin:
        found = sorted(p for p in arguments.pin.iterdir() if p.suffix in (".whl", ".tgz"))
        print(",\n".join(json.dumps(packages.pin(p)) for p in found))
        return
    if not arguments.out:
        parser.error("OUT is missing")
    corpus = json.loads((HOME / "corpus.json").read_text())
    tree, rows = build(corpus, arguments.out, arguments.downloads or arguments.out / "downloads")
    for part in corpus["parts"]:
        for language in corpus["languages"]:
            chosen = [r for r in rows if r.part == part and r.entry["language"] == language]
            if chosen:
                print(f"{part}, {language}: {len(chosen)} sources, {sum(r.files for r in chosen)} files, "
                      f"{sum(r.bytes for r in chosen)} bytes")
    if arguments.pin_tree:
        corpus["tree_sha256"] = tree.sha256()
        write_pins(corpus, HOME / "corpus.json")
    check(corpus, tree.sha256())
    if arguments.describe:
        describe(rows, HOME)


if __name__ == "__main__":
    main()
