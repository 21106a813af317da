"""Runs a page's commands from first to last, and compares what they print with what the page says. See console.py."""

import argparse
import os
import pathlib
import re
import sys
import tempfile
import time

import console
from neovim import Neovim

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Page:
    def __init__(self, path, arguments, folder):
        self.path, self.arguments = path, arguments
        # Short: a socket's path has little room. A page may say mktemp.
        self.environment = {name: value for name, value in os.environ.items() if name != "WEFT_MODEL"} | {
            "TMPDIR": folder, "XDG_RUNTIME_DIR": folder}
        self.shell = console.Shell(ROOT, self.environment)
        self.editor = None

    def failures(self):
        steps = console.read_steps(self.path.read_text())
        if not any(step.output for step in steps):
            yield f"{self.path}: no command with output"
        for step in steps:
            begin = time.monotonic()
            problem = self.run(step)
            print(f"{time.monotonic() - begin:6.1f} s  {step.kind or 'console'}: {step.command.splitlines()[0]}", flush=True)
            if problem:
                yield f"{self.path}:{step.line}: {step.command}\n{problem}"

    def run(self, step):
        """Why it did not go as the page says, or nothing."""
        if step.kind == "tested by":
            return None if is_registered(step.command) else "no test runs this scenario"
        try:
            if step.kind == "in the editor":
                return self.in_editor(step)
            if step.kind == "editor":
                return self.open_editor(step.command)
        except AssertionError as error:
            return str(error)
        output, code = self.shell.run(step.command)
        return f"exit code {code}\n{output}" if code != 0 else console.mismatch(step, output)

    def open_editor(self, command):
        program, _, file = command.partition(" ")
        if program != "nvim":
            return "only nvim FILE can be opened"
        self.close_editor()
        folder, _ = self.shell.run("pwd")
        self.editor = Neovim(self.arguments.nvim, ROOT / "editors/nvim", file, folder.strip(), self.environment)
        return None

    def in_editor(self, step):
        if step.command == "close":
            self.close_editor()
        else:
            self.editor.command(step.command)
        for expression in step.output:
            self.editor.wait(expression)

    def close_editor(self):
        if self.editor:
            self.editor.close()
        self.editor = None

    def close(self):
        self.close_editor()
        self.shell.close()


def is_registered(scenario):
    """Whether "TEST/SCENARIO" is a test and one of its scenarios, as its folder's CMakeLists.txt says."""
    test, _, name = scenario.partition("/")
    lists = (ROOT / "tests" / test.replace(".", "/")).parent / "CMakeLists.txt"
    found = re.search(rf"add_test\(NAME {re.escape(test)}\s(.*?)\)\n", lists.read_text(), re.DOTALL)
    return bool(found and name in found[1].split())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nvim", required=True)
    parser.add_argument("page", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="weft-") as folder:
        page = Page(arguments.page, arguments, folder)
        try:
            failures = list(page.failures())
        finally:
            page.close()
    print("\n".join(failures) or "every step went as the page says")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
