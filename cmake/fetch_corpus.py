#!/usr/bin/env python3
"""Fetches the default model's training text: the packages and the standard library of model/default/corpus.json.

    fetch_corpus.py OUT               download, verify and extract into OUT/train and OUT/heldout
    fetch_corpus.py OUT --describe    also rewrite the table of DATA_CARD.md, and NOTICE
    fetch_corpus.py --pin DIR         print corpus.json entries for the wheels that lie in DIR

Only the ordinary package client downloads, and only files whose sha256 is pinned. Of a wheel nothing but .py files and
licence texts is taken; nothing is ever installed or run. Folders of vendored code (it has licences of its own) and of
tests are left out. What is named as held out never reaches OUT/train, under whatever package it is found.
"""
import argparse
import email.parser
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile

HOME = pathlib.Path(__file__).resolve().parent.parent / "model" / "default"
LICENCE_NAME = re.compile(r"^(licen[cs]e|copying|notice)", re.IGNORECASE)
COPYRIGHT_LINE = re.compile(r"^\W*(portions\s+)?(copyright\b|\(c\)|©)(?=.*(\d{4}|\(c\)|©))", re.IGNORECASE)


def sha256_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def download(corpus, folder):
    """Lets pip fetch what is not there yet. pip itself refuses a file whose sha256 is not the pinned one."""
    missing = [e for e in entries_of(corpus) if not matches(folder / e["file"], e)]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{e['name']}=={e['version']} --hash=sha256:{e['sha256']}\n" for e in missing))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary", ":all:", "--require-hashes", "--implementation", "cp",
               "--python-version", corpus["python"], "--dest", str(folder), "--requirement", str(requirements)]
    for platform in corpus["platforms"]:
        command += ["--platform", platform]
    print(f"downloading {len(missing)} packages", file=sys.stderr)
    subprocess.run(command, check=True)


def entries_of(corpus):
    return corpus["packages"] + corpus["held_out"]["packages"]


def matches(path, entry):
    return path.is_file() and sha256_of(path) == entry["sha256"]


class Rules:
    """Which paths are taken."""

    def __init__(self, corpus):
        self.skipped = set(corpus["skip_folders"])
        self.tests = set(corpus["test_folders"])
        held_out = corpus["held_out"]
        self.held_out = {e["name"] for e in held_out["packages"]} | set(held_out["modules"])

    def is_source(self, path):
        if not path.endswith(".py"):
            return False
        folders = path.split("/")[:-1]
        return not any(f in self.skipped or f in self.tests or f.endswith(".data") for f in folders)

    def is_held_out(self, path):
        """By any folder or file of that name, so that vendored copies are found too."""
        parts = path.split("/")
        return bool(self.held_out & {*parts[:-1], parts[-1].removesuffix(".py")})


def write(root, path, data):
    target = root / path
    if ".." in pathlib.PurePosixPath(path).parts or pathlib.PurePosixPath(path).is_absolute():
        raise SystemExit(f"refused: {path} leaves its folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def licence_texts(wheel):
    """The package's own licence files, not those of the compiled or vendored parts, which lie in deeper folders."""
    found = []
    for name in wheel.namelist():
        parts = name.split("/")
        if ".dist-info" in parts[0] and LICENCE_NAME.match(parts[-1]) and not name.endswith("/"):
            found.append((len(parts), name))
    if not found:
        return {}
    depth = min(d for d, _ in found)
    return {n.rsplit("/", 1)[-1]: wheel.read(n).decode("utf-8", "replace") for d, n in sorted(found) if d == depth}


def extract(entry, archive, root, rules, held_out):
    """One wheel into root/NAME. Returns (files, bytes, licence texts)."""
    files = size = 0
    with zipfile.ZipFile(archive) as wheel:
        for info in sorted(wheel.infolist(), key=lambda i: i.filename):
            name = info.filename
            if not rules.is_source(name) or (not held_out and rules.is_held_out(name)):
                continue
            write(root / entry["name"], name, wheel.read(info))
            files, size = files + 1, size + info.file_size
        texts = licence_texts(wheel)
    if "licence_until" in entry:  # what follows is about compiled parts, which are not taken
        texts = {n: t.split(entry["licence_until"])[0] for n, t in texts.items()}
    for name, text in texts.items():
        write(root / entry["name"], name, text.encode())
    return files, size, texts


def extract_standard_library(corpus, out, rules):
    """The library of the Python that runs this. Returns the two rows (training, held out)."""
    row = corpus["standard_library"]
    source = pathlib.Path(sysconfig.get_paths()["stdlib"])
    version = ".".join(map(str, sys.version_info[:3]))
    if not version.startswith(corpus["python"] + "."):
        raise SystemExit(f"the corpus wants the standard library of Python {corpus['python']}, this is {version}")
    licence = next((p for p in (source / "LICENSE.txt", source / "LICENSE") if p.is_file()), None)
    texts = {"LICENSE": licence.read_text()} if licence else {}
    digest, counts = hashlib.sha256(), {"train": [0, 0], "heldout": [0, 0]}
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source).as_posix()
        if not rules.is_source(name) or any(name.startswith(p) for p in row["skip"]):
            continue
        data = path.read_bytes()
        digest.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
        part = "heldout" if rules.is_held_out(name) else "train"
        write(out / part / row["name"], name, data)
        counts[part][0] += 1
        counts[part][1] += len(data)
    for part in counts:
        for name, text in texts.items():
            write(out / part / row["name"], name, text.encode())
    entry = {"name": row["name"], "version": version, "sha256": digest.hexdigest(), "licence": row["licence"]}
    return [(entry, part, *counts[part], texts) for part in counts]


def build(corpus, out, downloads):
    """Everything into OUT. Returns rows (entry, part, files, bytes, licence texts)."""
    rules = Rules(corpus)
    download(corpus, downloads)
    shutil.rmtree(out / "train", ignore_errors=True)
    shutil.rmtree(out / "heldout", ignore_errors=True)
    rows = []
    for part, entries in (("train", corpus["packages"]), ("heldout", corpus["held_out"]["packages"])):
        for entry in entries:
            archive = downloads / entry["file"]
            if not matches(archive, entry):
                raise SystemExit(f"{entry['file']}: expected sha256 {entry['sha256']}, found "
                                 f"{sha256_of(archive) if archive.is_file() else 'no file'}")
            rows.append((entry, part, *extract(entry, archive, out / part, rules, part == "heldout")))
    rows += extract_standard_library(corpus, out, rules)
    for part in ("train", "heldout"):
        licences = {e["name"]: e["licence"] for e, p, *_ in rows if p == part}
        (out / part / "licences.json").write_text(json.dumps(licences, indent=1, sort_keys=True) + "\n")
    return rows


def describe(rows):
    """The table of the data card, between its two marks, and NOTICE."""
    lines = ["| part | name | version | licence | files | bytes | sha256 |", "|---|---|---|---|--:|--:|---|"]
    for entry, part, files, size, _ in rows:
        lines.append(f"| {part} | {entry['name']} | {entry['version']} | {entry['licence']} | {files} | {size} "
                     f"| `{entry['sha256']}` |")
    card = HOME / "DATA_CARD.md"
    before, _, rest = card.read_text().partition("<!-- corpus -->\n")
    _, _, after = rest.partition("<!-- end of corpus -->")
    if not after:
        raise SystemExit(f"{card}: the marks of the table are missing")
    card.write_text(before + "<!-- corpus -->\n" + "\n".join(lines) + "\n<!-- end of corpus -->" + after)
    (HOME / "NOTICE").write_text(notice_of([r for r in rows if r[1] == "train"]))


def without_copyright_lines(text):
    """(copyright lines, the rest): texts that differ only in whose they are then compare equal."""
    lines = [line.strip() for line in text.splitlines()]
    owners = [line for line in lines if COPYRIGHT_LINE.match(line) and "[yyyy]" not in line and "{yyyy}" not in line]
    rest = [line for line in lines if line not in owners]
    if "END OF TERMS AND CONDITIONS" in rest:  # of Apache-2.0; only advice on how to apply it follows
        rest = rest[:rest.index("END OF TERMS AND CONDITIONS") + 1]
    return owners, re.sub(r"\n{3,}", "\n\n", "\n".join(rest)).strip()


def notice_of(rows):
    sections, texts = [], {}
    for entry, _, _, _, licence_files in rows:
        owners, numbers = [], []
        for _, text in sorted(licence_files.items()):
            found, rest = without_copyright_lines(text)
            owners += [o for o in found if o not in owners]
            number = texts.setdefault(re.sub(r"\W+", " ", rest).lower(), (len(texts) + 1, rest))[0]
            if number not in numbers:
                numbers.append(number)
        where = ", ".join(f"text {n}" for n in numbers) or "no text in the distribution"
        sections.append("\n".join([f"{entry['name']} {entry['version']}: {entry['licence']} ({where})"]
                                  + [f"  {o}" for o in owners]))
    parts = ["The model in this folder was trained by weft on the Python source text of the works below. Each stays\n"
             "under its own licence; the numbered texts follow the list.", *sections]
    parts += [f"{'-' * 100}\nText {number}\n\n{text}" for number, text in texts.values()]
    return "\n\n".join(parts) + "\n"


def pin(folder):
    """Entries for the wheels in a folder; the licence is what the metadata claims, for a person to check."""
    entries = []
    for path in sorted(folder.glob("*.whl"), key=lambda p: p.name.lower()):
        with zipfile.ZipFile(path) as wheel:
            name = next(n for n in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
            metadata = email.parser.BytesParser().parsebytes(wheel.read(name))
        licence = str(metadata.get("License-Expression") or metadata.get("License") or "").split("\n")[0][:60]
        if not licence:
            classifiers = [str(c) for c in metadata.get_all("Classifier") or []]
            licence = "; ".join(c.split("::")[-1].strip() for c in classifiers if c.startswith("License"))
        entries.append({"name": str(metadata["Name"]).lower(), "version": str(metadata["Version"]), "licence": licence,
                        "file": path.name, "sha256": sha256_of(path)})
    print(json.dumps(entries, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=pathlib.Path, help="folder to write train/ and heldout/ into")
    parser.add_argument("--downloads", type=pathlib.Path, help="where the wheels are kept (default: OUT/downloads)")
    parser.add_argument("--describe", action="store_true", help="rewrite the data card's table and NOTICE")
    parser.add_argument("--pin", type=pathlib.Path, metavar="DIR", help="print entries for the wheels in DIR")
    arguments = parser.parse_args()
    if arguments.pin:
        pin(arguments.pin)
        return
    if not arguments.out:
        parser.error("OUT is missing")
    corpus = json.loads((HOME / "corpus.json").read_text())
    rows = build(corpus, arguments.out, arguments.downloads or arguments.out / "downloads")
    if arguments.describe:
        describe(rows)
    for part in ("train", "heldout"):
        chosen = [r for r in rows if r[1] == part]
        print(f"{part}: {len(chosen)} sources, {sum(r[2] for r in chosen)} files, {sum(r[3] for r in chosen)} bytes")


if __name__ == "__main__":
    main()
