"""What the tests of the weft command share: running it, and choosing a suite on the command line."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

WEFT = ""
MODEL = pathlib.Path()


def weft(*arguments, **environment):
    env = {k: v for k, v in os.environ.items() if k != "WEFT_MODEL"} | environment
    return subprocess.run([WEFT, *map(str, arguments)], capture_output=True, text=True, env=env, timeout=240)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def check_fails(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, "")
        for word in words:
            self.assertIn(word, result.stderr)


def main(suites):
    global WEFT, MODEL
    parser = argparse.ArgumentParser()
    parser.add_argument("--weft", required=True)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("suite", choices=suites)
    arguments = parser.parse_args()
    WEFT, MODEL = arguments.weft, arguments.model
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(suites[arguments.suite])
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(0 if result.wasSuccessful() else 1)
