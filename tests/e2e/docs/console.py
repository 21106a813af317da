"""Pages with ```console blocks, run as a reader would: one shell from the first block to the last.

In a block a line `$ COMMAND` is typed (it goes on after a `\\` and up to the end of a here-document), and the lines below
it are what must be printed. `…` is for text that the page leaves out: any part of a line, and alone on a line any number
of lines. A number stands for any number, since times and measurements differ, and so do several blanks for some. The word
behind `console` says more:

    console varies   the text is the model's, and may differ between processors: something must be printed, with success
    console editor   `$ nvim FILE` opens a real Neovim without a screen and leaves it open
"""

import dataclasses
import re
import subprocess
import threading

PATIENCE_S = 240  # for one command

FENCE = re.compile(r"^```(\w*) ?(\w*)$")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
HERE_DOCUMENT = re.compile(r"<<'?(\w+)'?$", re.MULTILINE)
TESTED_BY = re.compile(r"^<!-- tested by (\S+) -->$")
IN_EDITOR = re.compile(r"^<!-- in the editor: (.+?)(?: => (.+))? -->$")


@dataclasses.dataclass
class Step:
    line: int  # of the page, from 1
    kind: str  # "", "varies" or "editor" of a block; "tested by", "in the editor"
    command: str
    output: list[str] = dataclasses.field(default_factory=list)


def goes_on(command):
    """Whether the next line is the command's too."""
    here = HERE_DOCUMENT.search(command)
    return command.endswith("\\") or bool(here and not command.endswith("\n" + here[1]))


def read_steps(text):
    """The steps of a page, in order. A fence that is not closed and text that no command precedes are errors."""
    steps, block = [], None
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and block is None:
            block = fence.groups()
        elif line == "```":
            block = None
        elif block is None:
            if match := TESTED_BY.match(line):
                steps.append(Step(number, "tested by", match[1]))
            elif match := IN_EDITOR.match(line):
                steps.append(Step(number, "in the editor", match[1], [match[2]] if match[2] else []))
        elif block[0] != "console":
            continue
        elif line.startswith("$ "):
            steps.append(Step(number, block[1], line[2:]))
        elif not steps or steps[-1].kind != block[1]:
            raise ValueError(f"line {number}: output without a command")
        elif not steps[-1].output and goes_on(steps[-1].command):
            steps[-1].command += "\n" + line
        else:
            steps[-1].output.append(line)
    if block is not None:
        raise ValueError("a block is not closed")
    return steps


def pattern(expected):
    """What `expected`, lines of a page, allows, as a regular expression."""
    def escape(text):
        pieces = ("\\d[\\d.,]*".join(re.escape(part) for part in NUMBER.split(piece)) for piece in text.split("…"))
        return re.sub(r"(?:\\ ){2,}", " +", ".*".join(pieces))
    return "".join("(?:.*\n)*" if line.strip() == "…" else escape(line) + "\n" for line in expected)


def mismatch(step, output):
    """Why `output` is not what the page says, or nothing."""
    if step.kind == "varies":
        return None if output.strip() else "nothing was printed"
    if re.fullmatch(pattern(step.output), output):
        return None
    return "the page says\n" + "\n".join(step.output) + "\nand it printed\n" + output


class Shell:
    """One bash, in `folder` at first."""

    def __init__(self, folder, environment):
        self.process = subprocess.Popen(["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, cwd=folder, env=environment)

    def run(self, command):
        """What it printed on both channels, and its exit code."""
        mark = "end of the command"
        watchdog = threading.Timer(PATIENCE_S, self.process.kill)
        watchdog.start()
        self.process.stdin.write(f"{{ {command}\n}} < /dev/null\nprintf '\\n{mark} %d\\n' $?\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith(mark):
                watchdog.cancel()
                return "".join(lines)[:-1], int(line.split()[-1])
            lines.append(line)
        watchdog.cancel()
        raise AssertionError("the shell ended or took too long: " + "".join(lines))

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()
