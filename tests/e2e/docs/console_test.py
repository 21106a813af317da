"""console.py by itself."""

import tempfile
import unittest

from console import Shell, Step, mismatch, read_steps

PAGE = """# Page

```
$ left alone
```

```console
$ echo one
one
$ echo two \\
  three
two three
$ cat <<'END'
four

END
four

```

<!-- tested by e2e.nvim.real/generate -->
<!-- in the editor: write => v:true -->

```console varies
$ weft generate
def f():
```
"""


class Pages(unittest.TestCase):
    def test_steps_in_order(self):
        self.assertEqual(read_steps(PAGE), [
            Step(8, "", "echo one", ["one"]),
            Step(10, "", "echo two \\\n  three", ["two three"]),
            Step(13, "", "cat <<'END'\nfour\n\nEND", ["four", ""]),
            Step(21, "tested by", "e2e.nvim.real/generate"),
            Step(22, "in the editor", "write", ["v:true"]),
            Step(25, "varies", "weft generate", ["def f():"])])

    def test_what_is_no_page_is_refused(self):
        for page in ("```console\none\n```\n", "```console\n$ one\n"):
            with self.subTest(page), self.assertRaises(ValueError):
                read_steps(page)


class Output(unittest.TestCase):
    def check(self, expected, output, matches, kind=""):
        with self.subTest(expected):
            self.assertEqual(mismatch(Step(1, kind, "", expected), output) is None, matches)

    def test_what_the_page_allows(self):
        self.check(["one"], "one\n", True)
        self.check(["one"], "one\ntwo\n", False)
        self.check([], "", True)
        self.check([], "one\n", False)
        self.check(["one", "…", "four"], "one\ntwo\nthree\nfour\n", True)
        self.check(["one", "…"], "two\n", False)
        self.check(["took 1.5 s"], "took 12,000 s\n", True)
        self.check(["took 1.5 s"], "took long\n", False)
        self.check(["p50    1.5 ms"], "p50  12.5 ms\n", True)
        self.check(["a b"], "a  b\n", False)
        self.check(["on … cores"], "on two old cores\n", True)
        self.check(["a.c"], "abc\n", False)

    def test_a_models_text_must_only_be_there(self):
        self.check(["one"], "another\n", True, "varies")
        self.check(["one"], "\n", False, "varies")


class OneShell(unittest.TestCase):
    def test_it_goes_on_from_command_to_command(self):
        with tempfile.TemporaryDirectory() as folder:
            shell = Shell(folder, {"PATH": "/usr/bin:/bin"})
            self.addCleanup(shell.close)
            for command, wanted in [("pwd", (folder + "\n", 0)), ("cd /; printf x", ("x", 0)), ("pwd", ("/\n", 0)),
                                    ("echo wrong >&2; false", ("wrong\n", 1)), ("cat", ("", 0)),
                                    ("cat <<'END'\n$x\nEND", ("$x\n", 0))]:
                with self.subTest(command):
                    self.assertEqual(shell.run(command), wanted)


if __name__ == "__main__":
    unittest.main(verbosity=2)
