"""The rules of STYLE.md and ARCHITECTURE.md that a script can check, each a CTest test lint.NAME.

    lint.py NAME | all

Reads the files that git tracks or would track. Prints one line a breach, as FILE:LINE: what, and ends with 1.
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = {".cc", ".h", ".cu", ".cuh"}
CODE = SOURCE | {".py", ".lua", ".ts", ".sh"}

# A library and the libraries whose headers it may include, besides its own. What an entry may see, it may see through:
# the closure is taken below. The longest folder that a file lies in is its library.
LAYERS = {
    "model/base": [],
    "model/config": ["model/base"],
    "model/tokenizer": ["model/config"],
    "model/weights": ["model/config"],
    "model/kernels/cuda": ["model/base"],
    "model/kernels": ["model/weights"],
    "model/parallel": ["model/config"],
    "model/layers": ["model/config", "model/weights", "model/kernels", "model/parallel"],
    "model": ["model/layers", "model/tokenizer"],
    "generation/privacy": ["model/base"],
    "generation/syntax": ["model/base"],
    "generation/files": ["generation/privacy", "generation/syntax"],
    "generation/memory": ["model/tokenizer", "generation/files"],
    "generation": ["model", "generation/memory"],
    "generation/completion": ["generation"],
    "adapters/data": ["generation/completion"],
    "adapters/tasks": ["adapters/data"],
    "adapters/lora": ["adapters/data"],
    "adapters/registry": ["adapters/lora"],
    "adapters/actions": ["adapters/registry", "adapters/tasks"],
    "adapters/report": ["model/base"],
    "adapters/eval": ["adapters/tasks", "adapters/lora"],
    "adapters/train": ["adapters/eval", "adapters/report"],
    "adapters": ["adapters/actions", "adapters/eval", "adapters/train"],
    "lsp": ["adapters"],
    "lsp/control": ["lsp"],
    "lsp/daemon": ["lsp/control"],
    "lsp/command": ["lsp/control"],
}
SEES_TORCH = {"model/parallel", "model/layers", "model", "adapters/train"}
TORCH_INCLUDE = re.compile(r"(torch|ATen|c10)/")

TOP_LEVEL = {"lsp", "model", "generation", "adapters", "editors", "tests", "cmake", "docs"}

MAX_LINES = 400
LONGER = {}  # file: why it is longer than MAX_LINES; 600 never

# The words are spelled so that this file does not contain them.
FORBIDDEN = [
    (re.compile(r"(?<![\w.])/(wo" r"rk|ro" r"ot)/[\w.]"), "a path of one machine"),
    (re.compile(r"\b(TO" r"DO|FIX" r"ME|HA" r"CK)\b"), "work left undone"),
    (re.compile(r"\b(XX" r"X)\b"), "work left undone"),
]

MARKDOWN_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def tracked():
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                         stdout=subprocess.PIPE)
    names = sorted(set(out.stdout.decode().split("\0")) - {""})
    return [name for name in names if (ROOT / name).is_file()]


def lines_of(name):
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def text_files(names, suffixes):
    return [name for name in names if pathlib.PurePath(name).suffix in suffixes]


def library_of(path):
    """The library that a file belongs to, or None outside the layers."""
    folder = str(pathlib.PurePath(path).parent)
    while folder != ".":
        if folder in LAYERS:
            return folder
        folder = str(pathlib.PurePath(folder).parent)
    return None


def reachable(library):
    seen, ahead = set(), [library]
    while ahead:
        if (at := ahead.pop()) not in seen:
            seen.add(at)
            ahead += LAYERS[at]
    return seen


def check_layers(names):
    """An include points to a lower layer, and LibTorch is seen by model/ and adapters/train alone."""
    include = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')
    for name in text_files(names, SOURCE):
        own = library_of(name)
        if own is None and not name.startswith("tests/"):
            yield f"{name}:1: belongs to no layer; name its folder in tests/lint/lint.py"
        for number, line in enumerate(lines_of(name), 1):
            if own is None or not (match := include.match(line)):
                continue
            kind, target = match.groups()
            if TORCH_INCLUDE.match(target) and own not in SEES_TORCH:
                yield f"{name}:{number}: {own} may not see LibTorch ({target})"
            if kind == '"':
                if not (ROOT / target).is_file():
                    yield f"{name}:{number}: no {target} from the repository root"
                elif (other := library_of(target)) not in reachable(own):
                    yield f"{name}:{number}: {own} may not include {target}: {other} is not below it"


def check_length(names):
    """Files stay readable in one go."""
    for name in text_files(names, CODE):
        count = len(lines_of(name))
        if count > MAX_LINES and name not in LONGER:
            yield f"{name}:1: {count} lines, more than {MAX_LINES}: split it by what it does"
    for name in LONGER:
        if name not in names or len(lines_of(name)) <= MAX_LINES:
            yield f"tests/lint/lint.py:1: {name} is no longer than others, take it from LONGER"


def check_words(names):
    """No path of one machine and nothing marked as undone."""
    kept = CODE | {".txt", ".md", ".json", ".cmake", ".yml", ".toml", "", ".vim", ".lock"}
    for name in text_files(names, kept):
        if name.startswith(("tests/fuzz/corpus/", "model/default/")):
            continue
        for number, line in enumerate(lines_of(name), 1):
            for pattern, what in FORBIDDEN:
                if match := pattern.search(line):
                    yield f"{name}:{number}: {what}: {match.group(0)}"


def check_links(names):
    """A link in a Markdown file leads to a file or a heading that is there."""
    headings = {}
    for name in text_files(names, {".md"}):
        marks = [line.lstrip("#").strip() for line in lines_of(name) if re.match(r"#+ ", line)]
        headings[name] = {re.sub(r"[^\w\- ]", "", mark.lower()).replace(" ", "-") for mark in marks}
    for name in headings:
        for number, line in enumerate(lines_of(name), 1):
            for match in MARKDOWN_LINK.finditer(line):
                link = match.group(1) or match.group(2)
                if re.match(r"[a-z]+:", link):
                    continue
                file, _, anchor = link.partition("#")
                target = (ROOT / name).parent / file if file else ROOT / name
                if not target.exists():
                    yield f"{name}:{number}: {file} is not there"
                elif anchor and anchor not in headings.get(str(target.resolve().relative_to(ROOT)), {anchor}):
                    yield f"{name}:{number}: {file} has no heading {anchor}"


def check_folders(names):
    """The top level holds what ARCHITECTURE.md lists and no more."""
    for name in names:
        top, _, rest = name.partition("/")
        if rest and top not in TOP_LEVEL and not top.startswith("."):
            yield f"{name}:1: {top} is not a folder of the design"


def check_format(names):
    """clang-format has nothing to change."""
    if not shutil.which("clang-format"):
        yield "clang-format is not installed: run `make setup`"
        return
    sources = text_files(names, SOURCE - {".cu", ".cuh"})
    result = subprocess.run(["clang-format", "--dry-run", "-ferror-limit=1", *sources], cwd=ROOT, text=True,
                            stderr=subprocess.PIPE, check=False)
    for line in result.stderr.splitlines():
        if "-Wclang-format-violations" in line:
            yield line.split(": warning")[0] + ": not as clang-format writes it, run `make format`"


CHECKS = {"layers": check_layers, "length": check_length, "words": check_words, "links": check_links,
          "folders": check_folders, "format": check_format}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in [*CHECKS, "all"]:
        print(f"usage: lint.py {' | '.join(CHECKS)} | all", file=sys.stderr)
        return 2
    names = tracked()
    chosen = CHECKS if sys.argv[1] == "all" else [sys.argv[1]]
    breaches = [breach for name in chosen for breach in CHECKS[name](names)]
    print("\n".join(breaches) or f"lint: {', '.join(chosen)}: nothing to say about {len(names)} files")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
